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
from {{ ref('int_closed__next_actions') }}
