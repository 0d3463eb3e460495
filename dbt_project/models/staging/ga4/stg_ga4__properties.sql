select
    property_id,
    name as property_name,
    source as property_source,
    time_zone,
    currency,
    store_name,
    industry,
    custom_dimensions,
    is_active,
    coalesce(is_blocked, false) as is_blocked
from {{ source('ops', 'properties') }}
