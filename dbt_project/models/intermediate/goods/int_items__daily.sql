{{ config(materialized='view') }}

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
    pulls.currency,
    pulls.is_sampled,
    pulls.is_complete,
    pulls.flag_bits,
    pulls.maturity
from {{ ref('stg_ga4__items') }} as i
inner join {{ ref('int_pulls__latest') }} as pulls
    on i.property_id = pulls.property_id and i.date = pulls.date and pulls.report = 'items' and pulls.window_name = '1d'
