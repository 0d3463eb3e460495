-- GA4 answered with the steps it was asked for; every step of the seed has a row here.
with found as (
    select
        property_id,
        window_name,
        date as window_end,
        funnel,
        device_category,
        step_key as key,
        active_users
    from {{ ref('stg_ga4__funnel') }}
),

asked as (
    select distinct * exclude (key, active_users)
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
        {{ flag_bits(sampled='pulls.is_sampled', exact="pulls.route = 'export'") }} as flag_bits
    from asked
    inner join {{ ref('funnel_steps') }} as steps using (funnel)
    inner join {{ ref('int_funnel__keys_assessed') }} as keys using (property_id, window_name, window_end, key)
    inner join pulls using (property_id, window_name, window_end)
    left join found using (property_id, window_name, window_end, funnel, device_category, key)
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
