with rated as (
    select * from {{ ref('int_pages__keys_rated') }}
),

{{ compared_windows(cell=['page_path', 'key'], count='sessions', rate='micro_rate', denominator='parent_key') }}

select
    compared.property_id,
    compared.window_name,
    compared.window_start,
    compared.window_end,
    compared.window_days,
    compared.days_loaded,
    compared.page_path,
    placed.page_stage,
    compared.key,
    compared.stage,
    compared.family,
    'sessions' as unit,
    compared.sessions,
    compared.events,
    compared.parent_key,
    compared.parent_sessions,
    compared.micro_rate,
    compared.ci_low,
    compared.ci_high,
    compared.status,
    compared.tracking_state,
    compared.before_count as previous_sessions,
    compared.before_rate as previous_micro_rate,
    compared.before_status as previous_status,
    compared.before_days_loaded as previous_days_loaded,
    {{ rate_change('micro_rate') }},
    compared.is_complete,
    compared.maturity,
    {{ flag_names('compared.flag_bits') }} as flags
from compared
inner join {{ ref('int_pages__placed') }} as placed
    on
        compared.property_id = placed.property_id
        and compared.window_name = placed.window_name
        and compared.window_end = placed.window_end
        and compared.page_path = placed.page_path
-- A key that belongs to other pages is no news where it did not occur.
where compared.sessions > 0 or compared.stage = placed.page_stage or (compared.stage = 'site' and compared.parent_key is not null)
