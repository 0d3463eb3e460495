select
    property_id,
    date,
    parameter,
    event_name,
    parameter_value,
    cast(event_count as bigint) as events,
    cast(sessions as bigint) as sessions,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_event_params') }}
where {{ takes_part() }}
