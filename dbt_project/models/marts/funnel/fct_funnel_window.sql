with rated as (
    select * from {{ ref('int_funnel__steps_rated') }}
),

-- The same cell in the window before. A window that is not loaded whole is not compared: 7 of 28 days would look like a fall.
compared as (
    select
        rated.*,
        coalesce(before.days_loaded = before.window_days, false) as is_whole,
        case when is_whole then before.reached end as previous_reached_window,
        before.days_loaded as previous_days_loaded,
        before.previous_step_key as previous_window_step_key,
        before.status as previous_status,
        case when is_whole then before.step_rate end as previous_step_rate,
        before.ci_low as previous_ci_low,
        before.ci_high as previous_ci_high,
        -- A change is one of the same rate: not where the chain itself has changed between the windows.
        rated.previous_step_key = before.previous_step_key
        and rated.status = 'measured'
        and before.status = 'measured'
        and is_whole as is_comparable
    from rated
    left join rated as before
        on
            rated.property_id = before.property_id
            and rated.window_name = before.window_name
            and rated.window_start = before.window_end + 1
            and rated.funnel = before.funnel
            and rated.segment_name = before.segment_name
            and rated.segment_value = before.segment_value
            and rated.step_key = before.step_key
    where rated.is_current
)

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
    previous_reached_window,
    previous_step_rate,
    previous_status,
    coalesce(previous_days_loaded, 0) as previous_days_loaded,
    case when is_comparable then step_rate - previous_step_rate end as step_rate_change,
    case when is_comparable then {{ newcombe_low('step_rate', 'ci_low', 'previous_step_rate', 'previous_ci_high') }} end as change_ci_low,
    case when is_comparable then {{ newcombe_high('step_rate', 'ci_high', 'previous_step_rate', 'previous_ci_low') }} end as change_ci_high,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
