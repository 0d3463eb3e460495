-- Daily rates with the days before that they are compared with: the core steps of the shop and by device, and every other
-- key over its parent for the whole shop. Only days old enough to be settled (`anomaly_lag_days`) are judged.
with latest as (
    select
        property_id,
        max(date) - {{ var('anomaly_lag_days') }} as last_judged,
        last_judged - {{ var('anomaly_days') }} + 1 as first_judged
    from {{ ref('int_funnel__periods_listed') }}
    group by property_id
),

core as (
    select
        key,
        lag(key) over (order by step_number) as parent_key
    from {{ ref('funnel_steps') }}
    where funnel = 'core'
),

rates as (
    select
        key,
        parent_key,
        'device' as segment_name
    from core
    where parent_key is not null
    union
    select
        key,
        parent_key,
        'all' as segment_name
    from core
    where parent_key is not null
    union
    select
        plan.key,
        plan.parent_key,
        'all' as segment_name
    from {{ ref('int_plan__resolved') }} as plan
    where plan.parent_key <> '@previous' and plan.key not in (select core.key from core)
),

declared as (
    select
        upper_row.property_id,
        upper_row.date,
        upper_row.segment_value,
        upper_row.key,
        bool_or(changes.name is not null) as is_declared
    from {{ ref('int_funnel__days_filled') }} as upper_row
    inner join {{ ref('changes') }} as changes
        on
            coalesce(changes.property_id, upper_row.property_id) = upper_row.property_id
            and upper_row.date between changes.start_date and coalesce(changes.end_date, changes.start_date)
            and coalesce(changes.device, upper_row.segment_value) in (upper_row.segment_value, 'all')
    where upper_row.segment_name in ('all', 'device')
    group by all
),

paired as (
    select
        upper_row.property_id,
        upper_row.date,
        upper_row.segment_name,
        upper_row.segment_value,
        upper_row.key,
        rates.parent_key,
        upper_row.sessions as numerator,
        lower_row.sessions as denominator,
        latest.first_judged,
        {{ rate_state('upper_row.tracking_state', 'lower_row.tracking_state') }} as tracking_state,
        upper_row.is_complete and lower_row.is_complete as is_complete,
        coalesce(declared.is_declared, false) as is_declared
    from rates
    inner join {{ ref('int_funnel__days_filled') }} as upper_row
        on rates.key = upper_row.key and rates.segment_name = upper_row.segment_name
    inner join {{ ref('int_funnel__days_filled') }} as lower_row
        on
            upper_row.property_id = lower_row.property_id
            and upper_row.date = lower_row.date
            and upper_row.segment_name = lower_row.segment_name
            and upper_row.segment_value = lower_row.segment_value
            and rates.parent_key = lower_row.key
    inner join latest on upper_row.property_id = latest.property_id
    left join declared
        on
            upper_row.property_id = declared.property_id
            and upper_row.date = declared.date
            and upper_row.segment_value = declared.segment_value
            and upper_row.key = declared.key
    where upper_row.date between latest.first_judged - 56 and latest.last_judged
)

select
    *,
    tracking_state = 'tracking_lost' as is_lost,
    not is_complete or tracking_state = 'withheld' as is_flawed
from paired
where tracking_state in ('tracked', 'withheld', 'tracking_lost')
