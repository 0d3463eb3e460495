select
    property_id,
    date,
    coalesce(sales.shop, checkouts.shop) as shop,
    sales.orders,
    sales.net_sales,
    sales.total_sales,
    checkouts.abandoned_checkouts,
    checkouts.recovered_checkouts,
    checkouts.abandoned_value,
    coalesce(sales.currency, checkouts.currency) as currency
from {{ ref('stg_shopify__sales') }} as sales
full join {{ ref('stg_shopify__checkouts') }} as checkouts using (property_id, date)
