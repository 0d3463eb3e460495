select * rename (event_count as events)
from {{ source('raw', 'ga4_page_events') }}
where {{ takes_part() }}
