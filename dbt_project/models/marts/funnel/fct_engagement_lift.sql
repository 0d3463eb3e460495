{% set z = 1.959963984540054 %}
{%- set other_low = wilson_low('other_add_users', 'other_users', unit='users', exact=is_exact('flag_bits')) %}
{%- set other_high = wilson_high('other_add_users', 'other_users', unit='users', exact=is_exact('flag_bits')) %}

-- view -> add, and view -> key -> add, one row per cell.
with counted as (
    select
        property_id,
        window_name,
        date as window_end,
        device_category,
        funnel,
        max(active_users) filter (where step_number = 1) as viewed,
        max(active_users) filter (where step_number = 2) as second,
        max(active_users) filter (where step_number = 3) as third
    from {{ ref('stg_ga4__funnel') }}
    group by all
),

pulls as {{ funnel_pulls('funnel') }},

keys as (
    select
        assessed.*,
        coalesce(plan.family = 'engagement' and plan.parent_key = 'product_view', false) as is_engagement
    from {{ ref('int_funnel__keys_assessed') }} as assessed
    inner join {{ ref('int_plan__resolved') }} as plan using (key)
    where assessed.window_name = '28d'
),

-- A rate of those who did it and a rate of those who did not both need the two ends.
ends as (
    select
        property_id,
        window_end,
        max(tag_state) filter (where key = 'product_view') as view_state,
        max(tag_state) filter (where key = 'add_to_cart') as add_state
    from keys
    group by property_id, window_end
),

stated as (
    select
        keys.*,
        {{ rate_state('ends.view_state', 'ends.add_state') }} as ends_state
    from keys
    inner join ends using (property_id, window_end)
    where keys.is_engagement
),

split as (
    select
        stated.property_id,
        stated.window_name,
        stated.window_start,
        stated.window_end,
        stated.is_current,
        {{ device_segment('base') }},
        stated.key,
        base.viewed as view_users,
        base.second as view_add_users,
        lifted.second as did_users,
        lifted.third as did_add_users,
        case
            when {{ rate_state('stated.tag_state', 'stated.ends_state') }} <> 'tracked'
                then {{ rate_state('stated.tag_state', 'stated.ends_state') }}
            when pulls.is_sampled or lifted.funnel is null then 'withheld'
            else 'tracked'
        end as tracking_state,
        pulls.is_complete,
        pulls.maturity,
        pulls.flag_bits,
        {{ count_difference('view_users', 'did_users') }} as other_users,
        {{ count_difference('view_add_users', 'did_add_users') }} as other_add_users
    from stated
    inner join counted as base using (property_id, window_name, window_end)
    inner join pulls using (property_id, window_name, window_end)
    left join counted as lifted
        on
            base.property_id = lifted.property_id
            and base.window_name = lifted.window_name
            and base.window_end = lifted.window_end
            and base.device_category = lifted.device_category
            and lifted.funnel = 'lift_' || stated.key
    where base.funnel = 'view_to_add'
),

judged as (
    select
        *,
        case
            when tracking_state <> 'tracked' then tracking_state
            when did_users = 0 or other_users = 0 then 'no_denominator'
            when {{ is_beyond('did_add_users', 'did_users') }} or {{ is_beyond('other_add_users', 'other_users') }} then 'anomaly'
            when did_add_users = 0 or other_add_users = 0 then 'zero_cell'
            else 'measured'
        end as status
    from split
),

rated as (
    select
        *,
        tracking_state = 'tracked' as is_shown,
        {{ rate('did_add_users', 'did_users') }} as did_rate,
        {{ rate('other_add_users', 'other_users') }} as other_rate,
        case
            when status = 'measured'
                then {{ lift_error('view_users', 'view_add_users', 'did_users', 'did_add_users', is_exact('flag_bits')) }}
        end as se_ln_lift
    from judged
)

select
    {{ window_key() }},
    is_current,
    segment_name,
    segment_value,
    key,
    'users' as unit,
    view_users,
    view_add_users,
    did_users,
    did_add_users,
    {{ rate_with_interval('did_rate', 'is_shown', 'did_add_users', 'did_users', unit='users', exact=is_exact('flag_bits'), ci='did_') }},
    case when is_shown then other_users end as other_users,
    case when is_shown then other_add_users end as other_add_users,
    case when is_shown then other_rate end as other_rate,
    case when is_shown and other_add_users >= 0 then {{ other_low }} end as other_ci_low,
    case when is_shown and other_add_users >= 0 then {{ other_high }} end as other_ci_high,
    case when status = 'measured' then did_rate / other_rate end as lift,
    case when status = 'measured' then exp(ln(did_rate / other_rate) - {{ z }} * se_ln_lift) end as lift_ci_low,
    case when status = 'measured' then exp(ln(did_rate / other_rate) + {{ z }} * se_ln_lift) end as lift_ci_high,
    se_ln_lift,
    'association' as interpretation,
    status,
    tracking_state,
    {{ quality_columns() }}
from rated
