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
inner join {{ ref('int_events__suggested') }} as suggested
    on seen.property_id = suggested.property_id and seen.event_name = suggested.event_name
