select *
from {{ source('raw', 'shopify_sales') }}
where {{ takes_part() }}
