select
    *,
    window_end - to_hours(window_hours) as window_start
from {{ source('raw', 'clarity_page') }}
where {{ takes_part() }}
