with rated as (
    select * from {{ ref('int_funnel__keys_rated') }}
),

{{ compared_windows(
    cell=['segment_name', 'segment_value', 'key'], count='sessions', rate='micro_rate', denominator='parent_key'
) }}

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
    segment_name,
    segment_value,
    key,
    stage,
    family,
    'sessions' as unit,
    sessions,
    events,
    parent_key,
    parent_sessions,
    micro_rate,
    ci_low,
    ci_high,
    status,
    tracking_state,
    before_count as previous_sessions,
    before_rate as previous_micro_rate,
    before_status as previous_status,
    before_days_loaded as previous_days_loaded,
    {{ rate_change('micro_rate') }},
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
