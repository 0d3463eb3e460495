with counted as (
    select
        *,
        case when cart_state = 'tracked' then carts - purchases end as lost_carts,
        case when checkout_state = 'tracked' then checkouts - purchases end as lost_checkouts,
        {{ rate_status('cart_state', 'purchases', 'carts') }} as cart_status,
        {{ rate_status('checkout_state', 'purchases', 'checkouts') }} as checkout_status,
        case
            when purchase_revenue is null or transactions is null then 'withheld'
            when transactions = 0 then 'no_orders'
            when transactions < 0 or purchase_revenue < 0 then 'negative'
            else 'measured'
        end as value_status
    from {{ ref('int_carts__summed') }}
),

-- Wilson's interval of what got lost; more orders than carts (bought at once) is a raw rate below 0 without one.
{%- set cart_trials = effective_trials('lost_carts', 'carts', phi='cart_phi') %}
{%- set checkout_trials = effective_trials('lost_checkouts', 'checkouts', phi='checkout_phi') %}
rated as (
    select
        *,
        {{ rate_with_interval('cart_abandonment_rate', "cart_state = 'tracked'", 'lost_carts', 'carts', cart_trials, ci='cart_') }},
        {{ rate_with_interval(
            'checkout_abandonment_rate', "checkout_state = 'tracked'", 'lost_checkouts', 'checkouts', checkout_trials, ci='checkout_'
        ) }},
        case when value_status = 'measured' then {{ rate('purchase_revenue', 'transactions') }} end as average_order_value,
        -- greatest() passes over NULL: unknown carts are not 0 carts.
        case when lost_carts is not null then greatest(0, lost_carts) * average_order_value end as lost_value
    from counted
),

{{ compared_windows(
    cell=['segment_name', 'segment_value'], columns=['carts', 'cart_abandonment_rate', 'checkout_abandonment_rate']
) }}

select
    {{ window_columns() }},
    segment_name,
    segment_value,
    'sessions' as unit,
    carts,
    checkouts,
    purchases,
    lost_carts,
    cart_abandonment_rate,
    cart_ci_low,
    cart_ci_high,
    cart_status,
    lost_checkouts,
    checkout_abandonment_rate,
    checkout_ci_low,
    checkout_ci_high,
    checkout_status,
    purchase_revenue,
    transactions,
    average_order_value,
    value_status,
    lost_value,
    cast({{ var('cart_recovery_rate') }} as double) as recovery_rate,
    lost_value * {{ var('cart_recovery_rate') }} as recoverable_value,
    currency,
    prior_carts,
    prior_cart_abandonment_rate,
    prior_checkout_abandonment_rate,
    prior_days_loaded,
    {{ quality_columns() }}
from compared
