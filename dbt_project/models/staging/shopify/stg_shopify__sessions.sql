with long as (
    select
        property_id,
        shop,
        date,
        device,
        bot_filter,
        unnest(['sessions', 'add_to_cart', 'checkout_start', 'purchase']) as step_key,
        unnest([
            sessions, sessions_with_cart_additions, sessions_that_reached_checkout, sessions_that_completed_checkout
        ]) as sessions,
        origin,
        is_complete,
        fetched_at
    from {{ source('raw', 'shopify_sessions') }}
    where {{ takes_part() }}
)

select *
from long
where sessions is not null
