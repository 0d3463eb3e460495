select
    property_id,
    date,
    item_id,
    item_name,
    'items' as unit,
    items_viewed,
    items_added_to_cart,
    items_checked_out,
    items_purchased,
    {{ rate('items_added_to_cart', 'items_viewed') }} as view_to_cart_rate,
    {{ rate('items_purchased', 'items_viewed') }} as view_to_purchase_rate,
    item_revenue,
    currency
from {{ ref('int_items__daily') }}
