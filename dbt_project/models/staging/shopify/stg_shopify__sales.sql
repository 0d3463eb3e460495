select
    property_id,
    shop,
    date,
    orders,
    net_sales,
    total_sales,
    currency
from {{ source('raw', 'shopify_sales') }}
where {{ takes_part() }}
