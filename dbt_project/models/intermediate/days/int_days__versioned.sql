with pulled as (
    select
        property_id,
        date,
        count(*) as pull_count,
        max(pulled_at) as last_pulled_at
    from {{ ref('stg_ga4__pulls') }}
    where status = 'loaded' and window_name = '1d'
    group by property_id, date
),

-- A run that was killed between raw and staging has pulled what staging does not hold yet.
staged_rows as (
    {%- for table in ['stg_ga4__sessions', 'stg_ga4__events', 'stg_ga4__micro_conversions', 'stg_ga4__items'] %}
    select
        property_id,
        date,
        pulled_at
    from {{ ref(table) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

staged as (
    select
        property_id,
        date,
        count(*) as row_count,
        max(pulled_at) as last_staged_at
    from staged_rows
    group by property_id, date
),

-- What is the same for every day: the tracking plan with its floors, the funnels, the segments.
seeded as (
    select cast(plan as varchar) as row_text from {{ ref('int_plan__resolved') }} as plan
    union all
    select cast(steps as varchar) as row_text from {{ ref('funnel_steps') }} as steps
    union all
    select cast(segments as varchar) as row_text from {{ ref('segments') }} as segments
),

seeds as (
    select md5(string_agg(row_text, chr(10) order by row_text)) as version
    from seeded
),

versioned as (
    select
        pulled.property_id,
        pulled.date,
        md5(concat_ws(
            '|', seeds.version, properties.time_zone, properties.currency, {{ var('max_other_share') }},
            {{ var('least_sessionless_events') }}, {{ var('least_ordering_share') }}, {{ var('least_session_share') }}, pulled.pull_count,
            epoch_us(pulled.last_pulled_at), staged.row_count, epoch_us(staged.last_staged_at)
        )) as version
    from pulled
    inner join {{ ref('int_properties__active') }} as properties on pulled.property_id = properties.property_id
    cross join seeds
    left join staged on pulled.property_id = staged.property_id and pulled.date = staged.date
),

built as (
    {{ days_built() }}
)

select
    versioned.property_id,
    versioned.date,
    versioned.version,
    bool_or(versioned.version is distinct from built.version) over so_far as is_stale
from versioned
left join built on versioned.property_id = built.property_id and versioned.date = built.date
window so_far as (partition by versioned.property_id order by versioned.date rows unbounded preceding)
