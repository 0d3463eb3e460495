{% set abandonments = {'cart': ('carts', 'cart_state'), 'checkout': ('checkouts', 'checkout_state')} %}

with counted as (
    select
        *,
        {%- for name, (started, state) in abandonments.items() %}
        case when {{ state }} = 'tracked' then {{ started }} - purchases end as lost_{{ started }},
        {{ rate_status(state, 'purchases', started) }} as {{ name }}_status,
        {%- endfor %}
        case
            when purchase_revenue is null or transactions is null then 'withheld'
            when transactions = 0 then 'no_orders'
            when transactions < 0 or purchase_revenue < 0 then 'negative'
            else 'measured'
        end as value_status
    from {{ ref('int_carts__summed') }}
),

-- Wilson's interval of what got lost; more orders than carts (bought at once) is a raw rate below 0 without one.
rated as (
    select
        *,
        {%- for name, (started, state) in abandonments.items() %}
        {%- set n_eff = effective_trials('lost_' ~ started, started, phi=name ~ '_phi') %}
        {{ rate('lost_' ~ started, started) }} as {{ name }}_abandonment_rate,
        case when {{ name }}_status = 'measured' then {{ wilson_low('lost_' ~ started, started, n_eff) }} end as {{ name }}_ci_low,
        case when {{ name }}_status = 'measured' then {{ wilson_high('lost_' ~ started, started, n_eff) }} end as {{ name }}_ci_high,
        {%- endfor %}
        case when value_status = 'measured' then {{ rate('purchase_revenue', 'transactions') }} end as average_order_value,
        -- greatest() passes over NULL: unknown carts are not 0 carts.
        case when lost_carts is not null then greatest(0, lost_carts) * average_order_value end as lost_value
    from counted
),

compared as (
    select
        rated.*,
        coalesce(before.days_loaded, 0) as previous_days_loaded,
        coalesce(before.days_loaded = before.window_days, false) as is_before_whole,
        case when is_before_whole then before.carts end as previous_carts,
        case when is_before_whole then before.cart_abandonment_rate end as previous_cart_abandonment_rate,
        case when is_before_whole then before.checkout_abandonment_rate end as previous_checkout_abandonment_rate
    from rated
    left join rated as before
        on
            rated.property_id = before.property_id
            and rated.window_name = before.window_name
            and rated.window_start = before.window_end + 1
            and rated.segment_name = before.segment_name
            and rated.segment_value = before.segment_value
    where rated.is_current
)

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
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
    previous_carts,
    previous_cart_abandonment_rate,
    previous_checkout_abandonment_rate,
    previous_days_loaded,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
