with {{ days_to_build() }},

reach as {{ rows_of_days(ref('int_funnel__reach_daily')) }},

reports as {{ rows_of_days(ref('int_funnel__reports_assessed')) }},

keys as (
    select
        assessed.property_id,
        assessed.window_end as date,
        assessed.key,
        assessed.tracking_state,
        plan.is_composite
    from {{ ref('int_funnel__keys_assessed') }} as assessed
    inner join {{ ref('int_plan__resolved') }} as plan on assessed.key = plan.key
    where assessed.window_name = '1d'
),

-- The segment values that had a session on the date; the property as a whole also where nobody came.
cells as (
    select
        property_id,
        date,
        segment_name,
        segment_value
    from reach
    union
    select
        property_id,
        date,
        'all' as segment_name,
        'all' as segment_value
    from reports
),

dense as (
    select
        keys.property_id,
        keys.date,
        cells.segment_name,
        cells.segment_value,
        keys.key,
        keys.tracking_state,
        reach.sessions,
        reach.events,
        reach.transactions,
        reports.is_doubtful,
        {{ is_real_zero(
            'reach.key is null', 'keys.tracking_state', 'reports.is_doubtful',
            '(reports.is_loaded and not reports.is_partial and left_out.name is null)'
        ) }} as is_zero,
        reports.is_complete and (left_out.name is null or keys.tracking_state <> 'withheld') as is_complete,
        reports.maturity,
        reports.flag_bits
    from keys
    inner join cells using (property_id, date)
    inner join reports using (property_id, date, segment_name, is_composite)
    left join reach using (property_id, date, segment_name, segment_value, key)
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('keys', "'micro_by_' || cells.segment_name", 'keys.key', by_day=true) }}
)

select
    property_id,
    date,
    segment_name,
    segment_value,
    key,
    {{ filled_counts(is_sessionless('events', 'sessions', 'transactions')) }},
    is_complete,
    maturity,
    flag_bits
from dense
