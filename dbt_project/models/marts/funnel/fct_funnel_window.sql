with steps as (
    select *
    from {{ ref('int_funnel__steps_chained') }}
    where window_name <> '1d'
),

reach as (
    select * from {{ ref('int_funnel__reach_summed') }}
),

{{ rated_steps(period=['window_name', 'window_end']) }},

{{ compared_windows(
    cell=['funnel', 'segment_name', 'segment_value', 'step_key'],
    count='reached', rate='step_rate', denominator='previous_step_key'
) }}

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
    funnel,
    segment_name,
    segment_value,
    step_number,
    step_key,
    step_label,
    previous_step_key,
    'sessions' as unit,
    'open' as funnel_type,
    reached,
    previous_reached,
    entry_reached,
    step_rate,
    drop_off,
    lost,
    cumulative_rate,
    ci_low,
    ci_high,
    status,
    tracking_state,
    is_optional,
    is_in_chain,
    before_count as previous_reached_window,
    before_rate as previous_step_rate,
    before_status as previous_status,
    before_days_loaded as previous_days_loaded,
    {{ rate_change('step_rate') }},
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
