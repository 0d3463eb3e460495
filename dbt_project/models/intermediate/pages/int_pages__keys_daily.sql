with plan as (
    select * from {{ ref('int_plan__resolved') }}
),

-- A simple key is one event without a filter; GA4 itself counted the composite ones.
counted as (
    select
        events.property_id,
        events.date,
        events.page_path,
        plan.key,
        events.sessions,
        events.events
    from {{ ref('stg_ga4__page_events') }} as events
    inner join plan on events.event_name = plan.event_names and not plan.is_composite
    union all
    select
        micro.property_id,
        micro.date,
        micro.page_path,
        plan.key,
        micro.sessions,
        micro.events
    from {{ ref('stg_ga4__page_micro') }} as micro
    inner join plan on micro.key = plan.key and plan.is_composite
    union all
    select
        property_id,
        date,
        page_path,
        'sessions' as key,
        sessions,
        null as events
    from {{ ref('stg_ga4__pages') }}
),

periods as (
    select *
    from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
)

select counted.*
from counted
semi join periods using (property_id, date)
