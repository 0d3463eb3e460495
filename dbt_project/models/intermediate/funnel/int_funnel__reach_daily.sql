{{ config(contract={'enforced': true}) }}

with {{ days_to_build() }},

plan as (
    select * from {{ ref('int_plan__resolved') }}
),

site as {{ rows_of_days(ref('stg_ga4__sessions')) }},

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
    inner join days on e.property_id = days.property_id and e.date = days.date
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
    inner join days on m.property_id = days.property_id and m.date = days.date
    inner join plan on m.key = plan.key and plan.is_composite
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('m', "'micro_by_' || m.segment_name", 'm.key', by_day=true) }}
    where left_out.is_counted_otherwise is not true
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
    case when revenue.purchase_revenue is not null then reports.currency end as currency,
    -- Counted by GA4 whether or not the order has a session; a repeated transaction id is one.
    case when counted.key = 'purchase' and revenue.transactions > 0 then revenue.transactions end as transactions,
    coalesce(reports.route, 'data_api') as route,
    -- GA4's session counts are estimates (HyperLogLog); those of the event export are not.
    coalesce({{ is_exact('reports.flag_bits') }}, false) as is_exact,
    coalesce(reports.is_complete, false) as is_complete,
    coalesce(reports.maturity, 'provisional') as maturity
from counted
left join revenue using (property_id, date, segment_name, segment_value, key)
left join {{ ref('int_funnel__reports_assessed') }} as reports using (property_id, date, segment_name, is_composite)
