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
)

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
