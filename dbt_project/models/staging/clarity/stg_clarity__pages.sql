select
    property_id,
    window_end,
    window_hours,
    window_end - to_hours(window_hours) as window_start,
    page_path,
    device,
    signal,
    sessions,
    sessions_with_signal,
    occurrences,
    bot_sessions,
    scroll_depth,
    is_complete
from {{ source('raw', 'clarity_page') }}
where {{ takes_part() }}
