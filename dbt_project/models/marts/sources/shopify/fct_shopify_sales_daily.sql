select
    property_id,
    date,
    coalesce(sales.shop, checkouts.shop) as shop,
    sales.orders,
    sales.net_sales,
    sales.total_sales,
    checkouts.abandoned_checkouts,
    checkouts.recovered_checkouts,
    -- Fetched apart, the two may be of before and after the shop changed its currency.
    case when sales.currency is null or sales.currency = checkouts.currency then checkouts.abandoned_value end as abandoned_value,
    coalesce(sales.currency, checkouts.currency) as currency
from {{ ref('stg_shopify__sales') }} as sales
full join {{ ref('stg_shopify__checkouts') }} as checkouts using (property_id, date)
