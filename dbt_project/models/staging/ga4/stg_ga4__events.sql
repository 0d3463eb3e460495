with unioned as (
    {{ union_segments('events', ['event_name', 'event_count', 'sessions']) }}
)

select
    property_id,
    date,
    segment_name,
    segment_value,
    event_name,
    cast(event_count as bigint) as events,
    cast(sessions as bigint) as sessions,
    pulled_at,
    pull_id
from unioned
