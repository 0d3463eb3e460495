select
    property_id,
    name as property_name,
    source as property_source,
    same_shop_as,
    time_zone,
    currency,
    store_name,
    industry,
    region
from {{ source('ops', 'properties') }}
where {{ takes_part() }}
