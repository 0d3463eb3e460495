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

pulls as (
    select
        *,
        date as window_end
    from {{ ref('int_pulls__latest') }}
    where report = 'funnel'
),

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
)

select
    stated.property_id,
    stated.window_name,
    stated.window_start,
    stated.window_end,
    stated.is_current,
    case when base.device_category = 'all' then 'all' else 'device' end as segment_name,
    base.device_category as segment_value,
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
    not pulls.is_sampled as is_complete,
    pulls.maturity,
    {{ flag_bits(sampled='pulls.is_sampled', exact="pulls.route = 'export'") }} as flag_bits
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
