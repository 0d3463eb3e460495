with unioned as (
    {{ union_segments('micro', ['micro_key', 'event_count', 'sessions']) }}
)

select
    property_id,
    date,
    segment_name,
    segment_value,
    micro_key as key,
    cast(event_count as bigint) as events,
    cast(sessions as bigint) as sessions,
    pulled_at,
    pull_id
from unioned
