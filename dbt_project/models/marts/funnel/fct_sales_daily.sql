with {{ days_to_build() }},

filled as {{ rows_of_days(ref('int_funnel__days_filled')) }},

-- Orders are no sessions: GA4 counts them whether or not they have one, and a session may order twice.
orders as {{ rows_of_days(ref('stg_ga4__sessions')) }},

-- A part of the shop without a session on a day that is told whole has sold nothing.
counted as (
    select
        visits.property_id,
        visits.date,
        visits.segment_name,
        visits.segment_value,
        visits.sessions,
        buyers.sessions as purchase_sessions,
        buyers.tracking_state,
        {{ rate_state('buyers.tracking_state', 'visits.tracking_state') }} as conversion_state,
        case when orders.date is not null then orders.transactions when visits.sessions = 0 then 0 end as transactions,
        case when orders.date is not null then orders.purchase_revenue when visits.sessions = 0 then 0 end as purchase_revenue,
        reports.currency,
        visits.is_complete and buyers.is_complete as is_complete,
        {{ worse_maturity('visits.maturity', 'buyers.maturity') }} as maturity,
        visits.flag_bits | buyers.flag_bits
        -- Shopify tells no orders by device: nothing is kept back there.
        | {{ flag_bits(
            restricted="orders.date is not null and (orders.transactions is null or orders.purchase_revenue is null) "
            ~ "and reports.route is distinct from 'shopify'"
        ) }} as flag_bits
    from filled as visits
    inner join filled as buyers using (property_id, date, segment_name, segment_value)
    inner join {{ ref('int_funnel__reports_assessed') }} as reports using (property_id, date, segment_name)
    left join orders using (property_id, date, segment_name, segment_value)
    where visits.key = 'sessions' and buyers.key = 'purchase' and not reports.is_composite
),

-- 0 of a shop that does not send its orders is no number.
known as (
    select
        * replace (
            case when {{ item_state('tracking_state') }} = 'tracked' then transactions else nullif(transactions, 0) end as transactions,
            case when {{ item_state('tracking_state') }} = 'tracked' then purchase_revenue else nullif(purchase_revenue, 0) end
                as purchase_revenue
        )
    from counted
)

select
    property_id,
    date,
    segment_name,
    segment_value,
    'sessions' as unit,
    transactions,
    purchase_revenue,
    case when transactions > 0 and purchase_revenue >= 0 then {{ rate('purchase_revenue', 'transactions') }} end as average_order_value,
    case when purchase_revenue is not null then currency end as currency,
    sessions,
    purchase_sessions,
    {{ rate_with_interval(
        'conversion_rate', "conversion_state = 'tracked'", 'purchase_sessions', 'sessions', unit='sessions', exact=is_exact('flag_bits')
    ) }},
    {{ rate_status('conversion_state', 'purchase_sessions', 'sessions') }} as status,
    tracking_state,
    {{ quality_columns() }}
from known
