select
    i.property_id,
    i.date,
    i.item_id,
    i.item_name,
    i.items_viewed,
    i.items_added_to_cart,
    i.items_checked_out,
    i.items_purchased,
    i.item_revenue,
    p.currency
from {{ ref('stg_ga4__items') }} as i
inner join {{ ref('int_properties__active') }} as p on i.property_id = p.property_id
