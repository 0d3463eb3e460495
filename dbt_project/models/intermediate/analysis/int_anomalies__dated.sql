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
    select * from {{ core_steps() }}
),

rates as (
    select
        core.key,
        core.previous_step_key as parent_key,
        unnest(['all', 'device']) as segment_name
    from core
    where core.previous_step_key is not null
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
        days.property_id,
        days.date,
        days.segment_value,
        days.key,
        bool_or(changes.name is not null) as is_declared
    from {{ ref('int_funnel__days_filled') }} as days
    inner join {{ ref('changes') }} as changes
        on
            coalesce(changes.property_id, days.property_id) = days.property_id
            and days.date between changes.start_date and coalesce(changes.end_date, changes.start_date)
            and coalesce(changes.device, days.segment_value) in (days.segment_value, 'all')
    where days.segment_name in ('all', 'device')
    group by all
),

paired as (
    select
        numerator_row.property_id,
        numerator_row.date,
        numerator_row.segment_name,
        numerator_row.segment_value,
        numerator_row.key,
        rates.parent_key,
        numerator_row.sessions as numerator,
        denominator_row.sessions as denominator,
        latest.first_judged,
        {{ rate_state('numerator_row.tracking_state', 'denominator_row.tracking_state') }} as tracking_state,
        numerator_row.is_complete and denominator_row.is_complete as is_complete,
        coalesce(declared.is_declared, false) as is_declared
    from rates
    inner join {{ ref('int_funnel__days_filled') }} as numerator_row using (key, segment_name)
    inner join latest using (property_id)
    left join declared using (property_id, date, segment_value, key)
    inner join {{ ref('int_funnel__days_filled') }} as denominator_row using (property_id, date, segment_name, segment_value)
    where
        rates.parent_key = denominator_row.key
        and numerator_row.date between latest.first_judged - {{ var('anomaly_history_days') }} and latest.last_judged
)

select
    *,
    tracking_state = 'tracking_lost' as is_lost,
    not is_complete or tracking_state = 'withheld' as is_flawed
from paired
where tracking_state in ('tracked', 'withheld', 'tracking_lost')
