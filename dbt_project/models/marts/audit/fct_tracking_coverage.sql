with latest as (
    select *
    from {{ ref('int_funnel__keys_assessed') }}
    where window_name = '28d' and is_current
),

tracking as (
    select *
    from {{ ref('int_funnel__tracking_assessed') }}
    qualify row_number() over (partition by property_id, key order by date desc) = 1
)

select
    latest.property_id,
    latest.key,
    plan.stage,
    plan.family,
    plan.event_names,
    plan.origin,
    plan.is_expected,
    latest.tracking_state,
    latest.window_end as as_of_date,
    tracking.first_seen_date,
    tracking.last_seen_date,
    tracking.events_28d,
    tracking.sessions_28d,
    plan.exposure_key,
    tracking.exposed_28d as exposed_sessions_28d,
    cast(plan.floor_rate as double) as floor_rate,
    latest.days_tracked,
    latest.days_loaded
from latest
inner join tracking on latest.property_id = tracking.property_id and latest.key = tracking.key
inner join {{ ref('int_plan__resolved') }} as plan on latest.key = plan.key
where latest.key <> 'sessions'
