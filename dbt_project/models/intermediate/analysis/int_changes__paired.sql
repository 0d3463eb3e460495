-- The core funnel of each current window beside the prior one. Only whole windows are compared, and only steps that are
-- tracked in both, so that both chains are the same.
with reach as (
    select *
    from {{ core_reach() }}
    where days_loaded = window_days
),

paired as (
    select
        reach.property_id,
        reach.window_name,
        reach.window_start,
        reach.window_end,
        reach.segment_name,
        reach.segment_value,
        reach.step_number,
        reach.key as step_key,
        reach.sessions,
        prior_window.sessions as prior_sessions,
        reach.is_complete and prior_window.is_complete as is_complete,
        {{ worse_maturity('reach.maturity', 'prior_window.maturity') }} as maturity,
        reach.flag_bits | prior_window.flag_bits as flag_bits
    from reach
    inner join reach as prior_window
        on {{ is_prior_window('reach', ['segment_name', 'segment_value', 'key']) }}
    where reach.is_current
)

select
    *,
    lag(step_key) over chain as previous_step_key,
    lag(sessions) over chain as denominator,
    lag(prior_sessions) over chain as prior_denominator
from paired
window chain as (partition by property_id, window_name, segment_name, segment_value order by step_number)
