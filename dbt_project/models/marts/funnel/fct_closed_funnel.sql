with chained as (
    select
        *,
        lag(step_key) over chain as step_before,
        lag(reached) over chain as reached_before,
        lead(step_key) over chain as step_after,
        lead(reached) over chain as reached_after,
        lead(tracking_state) over chain as state_after,
        first_value(reached) over chain as entry_reached
    from {{ ref('int_closed__steps_counted') }}
    window chain as (
        partition by property_id, window_name, window_end, funnel, segment_value, unit, is_in_chain
        order by step_number
    )
),

-- Who left after a step got no further than it; nobody comes after the last.
paired as (
    select
        *,
        case when is_in_chain then step_before end as previous_step_key,
        case when is_in_chain then reached_before end as previous_reached,
        is_in_chain and tracking_state = 'tracked' as is_shown,
        case
            when is_in_chain and tracking_state = 'tracked' and step_after is null then reached
            when is_in_chain and state_after = 'tracked' then {{ count_difference('reached', 'reached_after') }}
        end as exited
    from chained
)

select
    property_id,
    window_name,
    window_start,
    window_end,
    is_current,
    funnel,
    segment_name,
    segment_value,
    step_number,
    step_key,
    step_label,
    previous_step_key,
    unit,
    'closed' as funnel_type,
    reached,
    previous_reached,
    case when is_in_chain then entry_reached end as entry_reached,
    {{ rate_with_interval('step_rate', 'is_shown', 'reached', 'previous_reached', unit='users', exact=is_exact('flag_bits')) }},
    case when is_shown then {{ rate('reached', 'entry_reached') }} end as cumulative_rate,
    exited,
    {{ rate('exited', 'entry_reached') }} as exit_share,
    case when exited >= 0 then {{ wilson_low('exited', 'entry_reached', unit='users', exact=is_exact('flag_bits')) }} end as exit_ci_low,
    case when exited >= 0 then {{ wilson_high('exited', 'entry_reached', unit='users', exact=is_exact('flag_bits')) }} end as exit_ci_high,
    case when is_shown then seconds_p25 end as seconds_p25,
    case when is_shown then seconds_p50 end as seconds_p50,
    case when is_shown then seconds_p75 end as seconds_p75,
    case when is_shown then seconds_p90 end as seconds_p90,
    {{ rate_status('tracking_state', 'reached', 'previous_reached', unrated=('previous_step_key is null', 'entry')) }} as status,
    tracking_state,
    is_optional,
    is_in_chain,
    {{ quality_columns() }}
from paired
