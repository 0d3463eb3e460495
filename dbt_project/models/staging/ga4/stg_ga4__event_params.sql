select * rename (event_count as events)
from {{ source('raw', 'ga4_event_params') }}
where {{ takes_part() }}
