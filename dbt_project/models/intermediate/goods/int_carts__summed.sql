-- One row per window and segment value, this one and the one before: the three counts, the money, and what each may say.
with reach as (
    select * from {{ ref('int_funnel__reach_summed') }}
),

-- Transactions are no sessions: reloaded confirmations are one order, and a session may order twice.
orders as (
    {% call windowed_sums(ref('stg_ga4__sessions'), ['segment_name', 'segment_value']) %}
    {{ whole_sum('days.transactions') }} as transactions,
    {{ order_variance('days.purchase_revenue', 'days.transactions') }} as order_variance
    {% endcall %}
),

noise as (
    select
        property_id,
        window_name,
        window_end,
        segment_name,
        segment_value,
        max(phi_wide) filter (where denominator_key = 'add_to_cart') as cart_phi,
        max(phi_wide) filter (where denominator_key = 'checkout_start') as checkout_phi
    from {{ ref('int_funnel__rates_dispersed') }}
    where numerator_key = 'purchase'
    group by all
)

select
    adds.property_id,
    adds.window_name,
    adds.window_days,
    adds.window_start,
    adds.window_end,
    adds.is_current,
    adds.days_loaded,
    adds.segment_name,
    adds.segment_value,
    adds.sessions as carts,
    checkouts.sessions as checkouts,
    purchases.sessions as purchases,
    {{ rate_state('adds.tracking_state', 'purchases.tracking_state') }} as cart_state,
    {{ rate_state('checkouts.tracking_state', 'purchases.tracking_state') }} as checkout_state,
    site.revenue as purchase_revenue,
    site.currency,
    case when site.revenue is not null then orders.transactions end as transactions,
    case when site.revenue is not null then orders.order_variance end as order_variance,
    -- Who is lost varies from day to day as much as who is not.
    coalesce(noise.cart_phi, 1) as cart_phi,
    coalesce(noise.checkout_phi, 1) as checkout_phi,
    adds.is_complete and checkouts.is_complete and purchases.is_complete and site.is_complete as is_complete,
    {{ worse_maturity(
        worse_maturity('adds.maturity', 'checkouts.maturity'), worse_maturity('purchases.maturity', 'site.maturity')
    ) }} as maturity,
    adds.flag_bits | checkouts.flag_bits | purchases.flag_bits | site.flag_bits as flag_bits
from reach as adds
inner join reach as checkouts using (property_id, window_name, window_end, segment_name, segment_value)
inner join reach as purchases using (property_id, window_name, window_end, segment_name, segment_value)
inner join reach as site using (property_id, window_name, window_end, segment_name, segment_value)
left join orders using (property_id, window_name, window_end, segment_name, segment_value)
left join noise using (property_id, window_name, window_end, segment_name, segment_value)
where adds.key = 'add_to_cart' and checkouts.key = 'checkout_start' and purchases.key = 'purchase' and site.key = 'sessions'
