select
    property_id,
    date,
    item_id,
    item_name,
    cast(items_viewed as bigint) as items_viewed,
    cast(items_added_to_cart as bigint) as items_added_to_cart,
    cast(items_checked_out as bigint) as items_checked_out,
    cast(items_purchased as bigint) as items_purchased,
    cast(item_revenue as double) as item_revenue,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_items') }}
where {{ takes_part() }}
