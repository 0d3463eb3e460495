select
    property_id,
    date,
    kind,
    api_name,
    cast(is_custom as boolean) as is_custom,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_metadata') }}
where {{ takes_part() }}
