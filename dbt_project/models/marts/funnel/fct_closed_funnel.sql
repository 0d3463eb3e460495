-- GA4 answered with the steps it was asked for; every step of the seed has a row here. Sessions and times are known where
-- events are in order, by the event export.
with answered as (
    select
        *,
        date as window_end,
        step_key as key
    from {{ ref('stg_ga4__funnel') }}
),

found as (
    select
        *,
        'users' as unit,
        active_users as reached
    from answered
    union all
    select
        *,
        'sessions' as unit,
        sessions as reached
    from answered
    where sessions is not null
),

-- One number instead of six names: a third of what the windows below take.
asked as (
    select
        property_id,
        window_name,
        window_end,
        funnel,
        device_category,
        unit,
        row_number() over () as answer_number
    from found
    group by all
),

pulls as {{ funnel_pulls('funnel') }},

dense as (
    select
        asked.property_id,
        asked.window_name,
        keys.window_start,
        asked.window_end,
        keys.is_current,
        asked.funnel,
        {{ device_segment('asked') }},
        asked.unit,
        asked.answer_number,
        steps.step_number,
        steps.key as step_key,
        steps.label as step_label,
        steps.is_optional,
        found.reached is not null as is_in_chain,
        found.reached as units,
        found.seconds_p25,
        found.seconds_p50,
        found.seconds_p75,
        found.seconds_p90,
        case
            when keys.tag_state = 'tracked' and (pulls.is_sampled or found.reached is null) then 'withheld'
            else keys.tag_state
        end as own_state,
        pulls.is_complete,
        pulls.maturity,
        pulls.flag_bits
    from asked
    inner join {{ ref('funnel_steps') }} as steps using (funnel)
    inner join {{ ref('int_funnel__keys_assessed') }} as keys using (property_id, window_name, window_end, key)
    inner join pulls using (property_id, window_name, window_end)
    left join found using (property_id, window_name, window_end, funnel, device_category, unit, key)
),

-- Nobody gets past a step whose tag is missing, so nothing is known of the steps after it either.
stated as (
    select
        * exclude (units, own_state),
        case
            when not is_in_chain then own_state
            else coalesce(arg_min(own_state, step_number) filter (where own_state <> 'tracked') over chain, 'tracked')
        end as tracking_state,
        case when tracking_state in ('tracked', 'withheld') then units else nullif(units, 0) end as reached
    from dense
    window chain as (
        partition by answer_number, is_in_chain
        order by step_number
    )
),

chained as (
    select
        *,
        lag(step_key) over chain as step_before,
        lag(reached) over chain as reached_before,
        lead(step_key) over chain as step_after,
        lead(reached) over chain as reached_after,
        lead(tracking_state) over chain as state_after,
        first_value(reached) over chain as entry_reached
    from stated
    window chain as (
        partition by answer_number, is_in_chain
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
    {{ window_key() }},
    is_current,
    funnel,
    segment_name,
    segment_value,
    {{ step_names() }},
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
    {%- for percent in [25, 50, 75, 90] %}
    case when is_shown and unit = 'sessions' then seconds_p{{ percent }} end as seconds_p{{ percent }},
    {%- endfor %}
    {{ rate_status('tracking_state', 'reached', 'previous_reached', unrated=('previous_step_key is null', 'entry')) }} as status,
    tracking_state,
    is_optional,
    is_in_chain,
    {{ quality_columns() }}
from paired
