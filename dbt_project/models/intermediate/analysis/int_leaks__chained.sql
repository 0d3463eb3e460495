-- The core funnel of each current window, with the steps that are tracked: around an untracked one its neighbours are
-- joined, without a benchmark of their own.
with reach as (
    select *
    from {{ core_reach() }}
    where is_current
),

chained as (
    select
        *,
        lag(key) over chain as previous_step_key,
        lag(sessions) over chain as previous_reached,
        last_value(key) over (chain rows between unbounded preceding and unbounded following) as end_key
    from reach
    window chain as (partition by property_id, window_name, segment_name, segment_value order by step_number)
),

orders as (
    select *
    from {{ ref('int_carts__summed') }}
    where is_current
),

valued as (
    select
        orders.property_id,
        orders.window_name,
        orders.segment_name,
        orders.segment_value,
        coalesce(orders.purchase_revenue > 0 and orders.transactions > 0, false) as is_own_order_value,
        brought.order_value,
        brought.order_value_error,
        coalesce(orders.currency, shop.currency) as currency
    from orders
    inner join orders as shop
        on orders.property_id = shop.property_id and orders.window_name = shop.window_name and shop.segment_name = 'all'
    left join {{ ref('int_orders__valued') }} as brought
        on
            orders.property_id = brought.property_id
            and orders.window_name = brought.window_name
            and orders.segment_name = brought.segment_name
            and orders.segment_value = brought.segment_value
),

-- A chain that ends before the order, because orders carry no session (of the shop or of this part of it), is worth at its
-- end what the shop's sessions there brought. Where orders are not counted at all, nobody knows.
worths as (
    select
        ends.property_id,
        ends.window_name,
        ends.key as end_key,
        shop.purchase_revenue > 0 as is_money,
        case when shop.purchase_revenue > 0 then shop.purchase_revenue else shop.transactions end
        / nullif(cast(ends.sessions as double), 0) as end_value
    from reach as ends
    inner join {{ ref('int_carts__summed') }} as shop
        on ends.property_id = shop.property_id and ends.window_name = shop.window_name and shop.segment_name = 'all' and shop.is_current
    inner join {{ ref('int_funnel__reach_summed') }} as orders
        on shop.property_id = orders.property_id and shop.window_name = orders.window_name and shop.window_end = orders.window_end
    where
        ends.segment_name = 'all'
        and orders.segment_name = 'all'
        and orders.key = 'purchase'
        and orders.tracking_state in ('tracked', 'sessionless')
),

benchmarked as (
    select
        chained.property_id,
        chained.window_name,
        chained.window_start,
        chained.window_end,
        chained.segment_name,
        chained.segment_value,
        chained.step_number,
        chained.key as step_key,
        chained.previous_step_key,
        chained.sessions as numerator,
        chained.previous_reached as denominator,
        compared.benchmark_key,
        compared.benchmark_low as benchmark,
        (compared.benchmark_low + compared.benchmark_high) / 2 as benchmark_midpoint,
        compared.n_eff,
        valued.order_value,
        chained.end_key = 'purchase' as is_to_order,
        -- Without any revenue the worth is counted in orders.
        case when is_to_order then coalesce(valued.order_value, 1) else worths.end_value end as end_value,
        case when is_to_order then valued.order_value_error end as end_value_error,
        case when is_to_order then valued.order_value is not null else coalesce(worths.is_money, false) end as is_money,
        is_to_order and coalesce(valued.is_own_order_value, false) as is_own_order_value,
        case when is_money then valued.currency end as currency
    from chained
    left join valued using (property_id, window_name, segment_name, segment_value)
    left join worths using (property_id, window_name, end_key)
    left join {{ ref('int_benchmarks__compared') }} as compared
        on
            chained.property_id = compared.property_id
            and chained.window_name = compared.window_name
            and chained.segment_name = compared.segment_name
            and chained.segment_value = compared.segment_value
            and chained.key = compared.numerator_key
            and chained.previous_step_key = compared.denominator_key
            and compared.is_leading
    where chained.previous_step_key is not null
)

-- downstream_rate: of those who take the step, how many go on to the last one of the chain. A step that nobody came to is taken as sure.
select
    *,
    coalesce(product(coalesce({{ rate('numerator', 'denominator') }}, 1)) over (
        partition by property_id, window_name, segment_name, segment_value
        order by step_number desc rows between unbounded preceding and 1 preceding
    ), 1) as downstream_rate
from benchmarked
