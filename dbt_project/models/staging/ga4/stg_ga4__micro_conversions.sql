select * rename (micro_key as key, event_count as events)
from ({{ union_segments('micro') }})
