-- Of the sessions that reached a step, those that did not reach the next tracked one ended there. The differences add up to all
-- sessions whatever the counts are; where one is below 0, sessions reached the next step without this one.
with reach as (
    select
        counted.*,
        steps.step_number,
        steps.step_label,
        counted.tracking_state = 'tracked' as is_tracked
    from {{ ref('int_funnel__reach_summed') }} as counted
    inner join {{ core_steps() }} as steps using (key)
    inner join {{ ref('segments') }} as parts using (segment_name)
    where counted.is_current and parts.is_partition
),

chained as (
    select
        *,
        lead(key) over chain as next_key,
        lead(sessions) over chain as next_reached,
        first_value(sessions) over chain as entry_reached,
        -- A difference is as whole, as mature and as clean as the worse of its two counts.
        lead(is_complete, 1, true) over chain as is_next_complete,
        lead(maturity) over chain as next_maturity,
        lead(flag_bits, 1, 0) over chain as next_flag_bits,
        first_value(key) over chain = 'sessions' and is_tracked as is_known
    from reach
    window chain as (
        partition by property_id, window_name, segment_name, segment_value, is_tracked
        order by step_number
    )
),

ended as (
    select
        * replace (
            is_complete and is_next_complete as is_complete,
            {{ worse_maturity('maturity', 'next_maturity') }} as maturity,
            flag_bits | next_flag_bits as flag_bits
        ),
        case when is_known then {{ count_difference('sessions', 'coalesce(next_reached, 0)') }} end as ended_sessions
    from chained
)

select
    {{ window_columns() }},
    segment_name,
    segment_value,
    step_number,
    key as step_key,
    step_label,
    case when is_known then next_key end as next_step_key,
    'sessions' as unit,
    'open' as funnel_type,
    sessions as reached,
    case when is_known then next_reached end as next_reached,
    case when is_known then entry_reached end as entry_reached,
    ended_sessions,
    {{ rate('ended_sessions', 'entry_reached') }} as ended_share,
    case
        when not is_tracked then tracking_state
        when not is_known then 'withheld'
        when entry_reached = 0 then 'no_denominator'
        when ended_sessions < 0 then 'anomaly'
        else 'measured'
    end as status,
    tracking_state,
    {{ quality_columns() }}
from ended
