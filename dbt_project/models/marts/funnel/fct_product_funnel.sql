with {{ days_to_build() }}

select
    items.property_id,
    items.date,
    items.item_id,
    items.item_name,
    'items' as unit,
    items.items_viewed,
    items.items_added_to_cart,
    items.items_checked_out,
    items.items_purchased,
    case when not items.is_sampled then {{ rate('items.items_added_to_cart', 'items.items_viewed') }} end as view_to_cart_rate,
    case when not items.is_sampled then {{ rate('items.items_purchased', 'items.items_viewed') }} end as view_to_purchase_rate,
    items.item_revenue,
    items.currency,
    items.is_complete,
    items.maturity,
    {{ flag_names('items.flag_bits') }} as flags
from {{ ref('int_items__daily') }} as items
inner join days on items.property_id = days.property_id and items.date = days.date
