{{ config(contract={'enforced': true}) }}

with plan as (
    select * from {{ ref('int_plan__resolved') }}
),

site as (
    select * from {{ ref('stg_ga4__sessions') }}
),

-- A simple key is one event without a filter; GA4 itself counted the composite ones.
counted as (
    select
        property_id,
        date,
        segment_name,
        segment_value,
        'sessions' as key,
        sessions,
        cast(null as bigint) as events,
        false as is_composite
    from site
    union all
    select
        e.property_id,
        e.date,
        e.segment_name,
        e.segment_value,
        plan.key,
        e.sessions,
        e.events,
        plan.is_composite
    from {{ ref('stg_ga4__events') }} as e
    inner join plan on e.event_name = plan.event_names and not plan.is_composite
    union all
    select
        m.property_id,
        m.date,
        m.segment_name,
        m.segment_value,
        plan.key,
        m.sessions,
        m.events,
        plan.is_composite
    from {{ ref('stg_ga4__micro_conversions') }} as m
    inner join plan on m.key = plan.key and plan.is_composite
),

-- Joined by equality on every column: a condition on the key alone made 730 days take 90 seconds instead of 2.
revenue as (
    select
        site.*,
        keys.key
    from site
    cross join (values ('sessions'), ('purchase')) as keys (key)
)

select
    counted.property_id,
    counted.date,
    counted.segment_name,
    counted.segment_value,
    counted.key,
    counted.sessions,
    cast(null as bigint) as users,
    counted.events,
    revenue.purchase_revenue as revenue,
    'data_api' as route,
    -- GA4's session counts are estimates (HyperLogLog).
    false as is_exact,
    coalesce(reports.is_complete, false) as is_complete,
    coalesce(reports.maturity, 'provisional') as maturity
from counted
inner join {{ ref('int_properties__active') }} as properties on counted.property_id = properties.property_id
left join revenue
    on
        counted.property_id = revenue.property_id
        and counted.date = revenue.date
        and counted.segment_name = revenue.segment_name
        and counted.segment_value = revenue.segment_value
        and counted.key = revenue.key
left join {{ ref('int_funnel__reports_assessed') }} as reports
    on
        counted.property_id = reports.property_id
        and counted.date = reports.date
        and counted.segment_name = reports.segment_name
        and counted.is_composite = reports.is_composite
