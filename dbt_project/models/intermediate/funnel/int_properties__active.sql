select
    property_id,
    property_name,
    property_source,
    time_zone,
    currency,
    store_name,
    industry
from {{ ref('stg_ga4__properties') }}
where {{ takes_part() }}
