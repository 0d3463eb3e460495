select * rename (micro_key as key, event_count as events)
from {{ source('raw', 'ga4_page_micro') }}
where {{ takes_part() }}
