select
    property_id,
    name as property_name,
    source as property_source,
    time_zone,
    currency,
    store_name,
    industry,
    custom_dimensions,
    is_active
from {{ source('ops', 'properties') }}
