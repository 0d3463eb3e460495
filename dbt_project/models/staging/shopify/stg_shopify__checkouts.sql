select * rename (abandoned as abandoned_checkouts, recovered as recovered_checkouts)
from {{ source('raw', 'shopify_checkouts') }}
where {{ takes_part() }}
