with actions as (
    select *
    from {{ ref('stg_ga4__funnel_next_action') }}
    where next_action <> '(all)'
),

steps as (
    select *
    from {{ ref('stg_ga4__funnel_next_action') }}
    where next_action = '(all)'
),

periods as (
    select distinct
        property_id,
        window_name,
        window_start,
        window_end,
        is_current
    from {{ ref('int_funnel__periods_listed') }}
),

counted as (
    select
        actions.property_id,
        actions.window_name,
        periods.window_start,
        periods.window_end,
        periods.is_current,
        actions.funnel,
        case when actions.device_category = 'all' then 'all' else 'device' end as segment_name,
        actions.device_category as segment_value,
        actions.step_number,
        actions.step_key,
        actions.next_action,
        actions.active_users as users,
        steps.active_users as step_users,
        pulls.is_sampled,
        not pulls.is_sampled as is_complete,
        pulls.maturity,
        {{ flag_bits(sampled='pulls.is_sampled') }} as flag_bits
    from actions
    inner join steps using (property_id, window_name, date, funnel, device_category, step_number)
    inner join periods
        on
            actions.property_id = periods.property_id
            and actions.window_name = periods.window_name
            and actions.date = periods.window_end
    inner join {{ ref('int_pulls__latest') }} as pulls
        on
            actions.property_id = pulls.property_id
            and actions.window_name = pulls.window_name
            and actions.date = pulls.date
            and pulls.report = 'funnel_next_action'
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
    next_action,
    cast(row_number() over (
        partition by property_id, window_name, window_end, funnel, segment_value, step_number
        order by users desc, next_action asc
    ) as integer) as action_rank,
    'users' as unit,
    users,
    step_users,
    case when not is_sampled then {{ rate('users', 'step_users') }} end as share,
    case when not is_sampled then {{ wilson_low('users', 'step_users', unit='users') }} end as ci_low,
    case when not is_sampled then {{ wilson_high('users', 'step_users', unit='users') }} end as ci_high,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from counted
