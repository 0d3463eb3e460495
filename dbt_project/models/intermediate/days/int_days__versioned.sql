{{ config(post_hook="{{ forget_stale_days() }}") }}

{#- The thresholds that tables by day are made with, beside those in the plan's floors and in what is doubted of a report. -#}
{% set thresholds = [
    'least_sessionless_events', 'least_ordering_share', 'least_session_share', 'lost_below', 'silence_below', 'exact_up_to',
    'sessions_sigma'
] -%}

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

-- What speaks against the numbers of the day's reports, which may change without a new pull: the raw gate judges again.
doubted as (
    select
        property_id,
        date,
        string_agg(concat_ws(' ', report, flag_bits, is_whole), ', ' order by report) as doubts
    from {{ ref('int_pulls__latest') }}
    where window_name = '1d' and is_loaded and (flag_bits > 0 or not is_whole)
    group by property_id, date
),

versioned as (
    select
        pulled.property_id,
        pulled.date,
        md5(concat_ws(
            '|', seeds.version, properties.time_zone, properties.currency,
            {%- for name in thresholds %}
            {{ var(name) }},
            {%- endfor %}
            pulled.pull_count, epoch_us(pulled.last_pulled_at), doubted.doubts
        )) as version
    from pulled
    inner join {{ ref('int_properties__active') }} as properties on pulled.property_id = properties.property_id
    cross join seeds
    left join doubted on pulled.property_id = doubted.property_id and pulled.date = doubted.date
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
