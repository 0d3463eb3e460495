select * rename (event_count as events)
from ({{ union_segments('events') }})
