select
    seen.property_id,
    seen.event_name,
    seen.as_of_date,
    seen.events as events_28d,
    seen.sessions as sessions_28d,
    seen.first_seen_date,
    seen.last_seen_date,
    suggested.looks_like,
    suggested.suggested_key,
    suggested.words,
    suggested.plan_lines
from {{ ref('int_events__unplanned') }} as seen
inner join {{ ref('int_events__suggested') }} as suggested using (property_id, event_name)
