-- The core funnel of each current window beside the window before. Only whole windows are compared, and only steps that
-- are tracked in both, so that both chains are the same. Landing pages are no partition.
with reach as (
    select
        counted.*,
        steps.step_number
    from {{ ref('int_funnel__reach_summed') }} as counted
    inner join {{ ref('funnel_steps') }} as steps on counted.key = steps.key and steps.funnel = 'core'
    inner join {{ ref('segments') }} as segments on counted.segment_name = segments.segment_name and segments.is_partition
    where counted.tracking_state = 'tracked' and counted.days_loaded = counted.window_days
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
        before.sessions as previous_sessions,
        reach.is_complete and before.is_complete as is_complete,
        {{ worse_maturity('reach.maturity', 'before.maturity') }} as maturity,
        reach.flag_bits | before.flag_bits as flag_bits
    from reach
    inner join reach as before
        on
            reach.property_id = before.property_id
            and reach.window_name = before.window_name
            and reach.window_start = before.window_end + 1
            and reach.segment_name = before.segment_name
            and reach.segment_value = before.segment_value
            and reach.key = before.key
    where reach.is_current
)

select
    *,
    lag(step_key) over chain as previous_step_key,
    lag(sessions) over chain as denominator,
    lag(previous_sessions) over chain as previous_denominator
from paired
window chain as (partition by property_id, window_name, segment_name, segment_value order by step_number)
