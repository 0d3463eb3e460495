with chained as (
    select
        steps.*,
        reach.window_days,
        reach.window_start,
        reach.is_current,
        reach.current_end,
        reach.days_loaded,
        reach.segment_name,
        reach.segment_value,
        reach.sessions as reached,
        reach.tracking_state,
        reach.is_complete,
        reach.maturity,
        lag(reach.sessions) over chain as previous_reached,
        lag(reach.tracking_state) over chain as previous_tracking_state,
        first_value(reach.sessions) over chain as entry_reached,
        first_value(reach.tracking_state) over chain as entry_tracking_state
    from {{ ref('int_funnel__steps_chained') }} as steps
    inner join {{ ref('int_funnel__reach_summed') }} as reach
        on
            steps.property_id = reach.property_id
            and steps.window_name = reach.window_name
            and steps.window_end = reach.window_end
            and steps.step_key = reach.key
    window chain as (
        partition by
            steps.property_id, steps.window_name, steps.window_end, steps.funnel, steps.is_in_chain,
            reach.segment_name, reach.segment_value
        order by steps.step_number
    )
),

stated as (
    select
        * replace (case when is_in_chain then previous_reached end as previous_reached),
        case
            when previous_step_key is not null then {{ rate_state('tracking_state', 'previous_tracking_state') }}
            else tracking_state
        end as step_state,
        is_in_chain and {{ rate_state('tracking_state', 'entry_tracking_state') }} = 'tracked' as is_from_entry
    from chained
),

rated as (
    select
        * exclude (previous_tracking_state, entry_tracking_state, is_from_entry),
        case when step_state = 'tracked' then {{ rate('reached', 'previous_reached') }} end as step_rate,
        case when step_state = 'tracked' then previous_reached - reached end as lost,
        case when is_from_entry then {{ rate('reached', 'entry_reached') }} end as cumulative_rate,
        case when step_state = 'tracked' then {{ wilson_low('reached', 'previous_reached') }} end as ci_low,
        case when step_state = 'tracked' then {{ wilson_high('reached', 'previous_reached') }} end as ci_high
    from stated
)

select
    *,
    1 - step_rate as drop_off,
    case
        when step_state <> 'tracked' then step_state
        when previous_step_key is null then 'entry'
        when previous_reached = 0 then 'no_denominator'
        when reached > previous_reached then 'anomaly'
        else 'measured'
    end as status
from rated
