-- GA4 answered with the steps it was asked for; every step of the seed has a row here.
with asked as (
    select distinct
        property_id,
        window_name,
        date as window_end,
        funnel,
        device_category
    from {{ ref('stg_ga4__funnel') }}
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
        steps.step_number,
        steps.key as step_key,
        steps.label as step_label,
        steps.is_optional,
        found.active_users is not null as is_in_chain,
        found.active_users as users,
        case
            when keys.tag_state = 'tracked' and (pulls.is_sampled or found.active_users is null) then 'withheld'
            else keys.tag_state
        end as own_state,
        not pulls.is_sampled as is_complete,
        pulls.maturity,
        {{ flag_bits(sampled='pulls.is_sampled') }} as flag_bits
    from asked
    inner join {{ ref('funnel_steps') }} as steps on asked.funnel = steps.funnel
    inner join {{ ref('int_funnel__keys_assessed') }} as keys
        on
            asked.property_id = keys.property_id
            and asked.window_name = keys.window_name
            and asked.window_end = keys.window_end
            and steps.key = keys.key
    inner join {{ ref('int_pulls__latest') }} as pulls
        on
            asked.property_id = pulls.property_id
            and asked.window_name = pulls.window_name
            and asked.window_end = pulls.date
            and pulls.report = 'funnel'
    left join {{ ref('stg_ga4__funnel') }} as found
        on
            asked.property_id = found.property_id
            and asked.window_name = found.window_name
            and asked.window_end = found.date
            and asked.funnel = found.funnel
            and asked.device_category = found.device_category
            and steps.key = found.step_key
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
        partition by property_id, window_name, window_end, funnel, segment_value, is_in_chain
        order by step_number
    )
)

select
    * exclude (users, own_state),
    case when tracking_state in ('tracked', 'withheld') then users else nullif(users, 0) end as reached
from stated
