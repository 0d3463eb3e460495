with rated as (
    select * from {{ ref('int_pages__keys_rated') }}
)

select
    rated.property_id,
    rated.window_name,
    rated.window_start,
    rated.window_end,
    rated.window_days,
    rated.page_path,
    placed.page_stage,
    rated.key,
    rated.stage,
    rated.family,
    'sessions' as unit,
    rated.sessions,
    rated.events,
    rated.parent_key,
    rated.parent_sessions,
    rated.micro_rate,
    rated.ci_low,
    rated.ci_high,
    rated.status,
    rated.tracking_state,
    before.sessions as previous_sessions,
    before.parent_sessions as previous_parent_sessions,
    before.micro_rate as previous_micro_rate,
    before.status as previous_status,
    rated.is_complete,
    rated.maturity,
    {{ flag_names('rated.flag_bits') }} as flags
from rated
inner join {{ ref('int_pages__placed') }} as placed
    on
        rated.property_id = placed.property_id
        and rated.window_name = placed.window_name
        and rated.window_end = placed.window_end
        and rated.page_path = placed.page_path
left join rated as before
    on
        rated.property_id = before.property_id
        and rated.window_name = before.window_name
        and rated.current_end = before.current_end
        and rated.page_path = before.page_path
        and rated.key = before.key
        and not before.is_current
-- A key that belongs to other pages is no news where it did not occur.
where
    rated.is_current
    and (rated.sessions > 0 or rated.stage = placed.page_stage or (rated.stage = 'site' and rated.parent_key is not null))
