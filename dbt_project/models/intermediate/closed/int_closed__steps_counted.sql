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

asked as (
    select distinct
        property_id,
        window_name,
        window_end,
        funnel,
        device_category,
        unit
    from found
),

pulls as (
    select
        *,
        date as window_end
    from {{ ref('int_pulls__latest') }}
    where report = 'funnel'
),

dense as (
    select
        asked.property_id,
        asked.window_name,
        keys.window_start,
        asked.window_end,
        keys.window_days,
        keys.is_current,
        asked.funnel,
        case when asked.device_category = 'all' then 'all' else 'device' end as segment_name,
        asked.device_category as segment_value,
        asked.unit,
        steps.step_number,
        steps.key as step_key,
        steps.label as step_label,
        steps.is_optional,
        found.reached is not null as is_in_chain,
        found.reached as units,
        case when asked.unit = 'sessions' then found.seconds_p25 end as seconds_p25,
        case when asked.unit = 'sessions' then found.seconds_p50 end as seconds_p50,
        case when asked.unit = 'sessions' then found.seconds_p75 end as seconds_p75,
        case when asked.unit = 'sessions' then found.seconds_p90 end as seconds_p90,
        case
            when keys.tag_state = 'tracked' and (pulls.is_sampled or found.reached is null) then 'withheld'
            else keys.tag_state
        end as own_state,
        not pulls.is_sampled as is_complete,
        pulls.maturity,
        {{ flag_bits(sampled='pulls.is_sampled', exact="pulls.route = 'export'") }} as flag_bits
    from asked
    inner join {{ ref('funnel_steps') }} as steps using (funnel)
    inner join {{ ref('int_funnel__keys_assessed') }} as keys using (property_id, window_name, window_end, key)
    inner join pulls using (property_id, window_name, window_end)
    left join found using (property_id, window_name, window_end, funnel, device_category, unit, key)
),

-- Nobody gets past a step whose tag is missing, so nothing is known of the steps after it either.
stated as (
    select
        *,
        case
            when not is_in_chain then own_state
            else coalesce(arg_min(own_state, step_number) filter (where own_state <> 'tracked') over chain, 'tracked')
        end as tracking_state
    from dense
    window chain as (
        partition by property_id, window_name, window_end, funnel, segment_value, unit, is_in_chain
        order by step_number
    )
)

select
    * exclude (units, own_state),
    case when tracking_state in ('tracked', 'withheld') then units else nullif(units, 0) end as reached
from stated
