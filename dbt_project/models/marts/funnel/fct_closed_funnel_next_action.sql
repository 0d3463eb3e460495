with reported as (
    select
        *,
        date as window_end
    from {{ ref('stg_ga4__funnel_next_action') }}
),

pulls as {{ funnel_pulls('funnel_next_action') }},

periods as (
    select distinct
        {{ window_key() }},
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
        {{ device_segment('actions') }},
        actions.step_number,
        actions.step_key,
        actions.next_action,
        actions.active_users as users,
        steps.active_users as step_users,
        pulls.is_sampled,
        pulls.is_complete,
        pulls.maturity,
        pulls.flag_bits
    from reported as actions
    inner join reported as steps using (property_id, window_name, window_end, funnel, device_category, step_number)
    inner join periods using (property_id, window_name, window_end)
    inner join pulls using (property_id, window_name, window_end)
    where actions.next_action <> '(all)' and steps.next_action = '(all)'
)

select
    {{ window_key() }},
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
    {{ rate_with_interval('share', 'not is_sampled', 'users', 'step_users', unit='users', exact=is_exact('flag_bits')) }},
    {{ quality_columns() }}
from counted
