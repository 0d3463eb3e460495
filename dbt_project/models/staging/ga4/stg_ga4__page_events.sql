select
    property_id,
    date,
    event_name,
    page_path,
    cast(event_count as bigint) as events,
    cast(sessions as bigint) as sessions,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_page_events') }}
where {{ takes_part() }}
