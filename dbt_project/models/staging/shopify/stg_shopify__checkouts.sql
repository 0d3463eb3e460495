select
    property_id,
    shop,
    date,
    abandoned as abandoned_checkouts,
    recovered as recovered_checkouts,
    abandoned_value,
    currency
from {{ source('raw', 'shopify_checkouts') }}
where {{ takes_part() }}
