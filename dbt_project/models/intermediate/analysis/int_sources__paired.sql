-- The same shop by two sources: how many sessions each has at a step on a day that both may know, from the first that both have
-- to the newest that is settled. NULL where a source has no whole number of the day; never 0. Route against route, and Shopify
-- against GA4 where some property has beside.
{% set shopify = ref('stg_shopify__sessions') -%}
with pairs as (
    select
        main.property_id,
        main.property_source as source_a,
        other.property_id as other_property_id,
        other.property_source as source_b,
        days.first_judged,
        days.last_judged,
        greatest(
            days.first_date, other_days.first_date, days.first_judged - {{ var('anomaly_history_days') }}
        ) as first_date
    from {{ ref('int_properties__active') }} as other
    inner join {{ ref('int_properties__active') }} as main on other.same_shop_as = main.property_id
    inner join {{ judged_days() }} as days on main.property_id = days.property_id
    inner join {{ judged_days() }} as other_days on other.property_id = other_days.property_id
),

whole as (
    select
        filled.property_id,
        filled.date,
        steps.step_number,
        filled.key as step_key,
        filled.sessions
    from {{ ref('int_funnel__days_filled') }} as filled
    inner join {{ core_steps() }} as steps on filled.key = steps.key
    where filled.segment_name = 'all' and filled.tracking_state = 'tracked' and filled.is_complete
)
{% if is_built(shopify) %},

shop_steps as (
    select
        property_id,
        date,
        step_key,
        sessions
    from {{ shopify }}
    where device = 'all' and bot_filter <> 'none' and is_complete
),

-- The linter renders one of the two conditions at a time.
shops as (  -- noqa: ST03
    select
        main.property_id,
        main.property_source,
        days.first_judged,
        days.last_judged,
        min(greatest(days.first_date, days.first_judged - {{ var('anomaly_history_days') }})) as first_compared,
        greatest(first_compared, min(shop_steps.date)) as first_date
    from {{ ref('int_properties__active') }} as main
    inner join {{ judged_days() }} as days on main.property_id = days.property_id
    inner join shop_steps on main.property_id = shop_steps.property_id
    where main.property_source <> 'shopify'
    group by all
),

beside as (  -- noqa: ST03
    select
        property_id,
        date,
        step_key,
        sessions as value_a,
        cast(null as bigint) as value_b
    from shop_steps
    union all by name
    select
        whole.property_id,
        whole.date,
        whole.step_key,
        cast(null as bigint) as value_a,
        whole.sessions as value_b
    from whole
    where whole.step_key in (select shop_steps.step_key from shop_steps)
)
{% endif %}

select
    pairs.property_id,
    whole.date,
    whole.step_number,
    whole.step_key,
    pairs.source_a,
    pairs.source_b,
    pairs.other_property_id,
    pairs.first_judged,
    true as is_comparable,
    max(whole.sessions) filter (whole.property_id = pairs.property_id) as value_a,
    max(whole.sessions) filter (whole.property_id = pairs.other_property_id) as value_b
from pairs
inner join whole on whole.property_id in (pairs.property_id, pairs.other_property_id)
where whole.date between pairs.first_date and pairs.last_judged
group by all
{% if is_built(shopify) -%}
union all by name
select
    shops.property_id,
    beside.date,
    steps.step_number,
    beside.step_key,
    'shopify' as source_a,
    shops.property_source as source_b,
    shops.property_id as other_property_id,
    shops.first_judged,
    -- Of a day that is counted as the newest ones are.
    {{ shopify_session_definition('beside.date') }} = {{ shopify_session_definition('shops.last_judged') }}
    and {{ shopify_session_definition('beside.date') }} <> 'changing' as is_comparable,
    max(beside.value_a) as value_a,
    max(beside.value_b) as value_b
from shops
inner join beside on shops.property_id = beside.property_id
inner join {{ core_steps() }} as steps on beside.step_key = steps.key
where beside.date between shops.first_date and shops.last_judged
group by all
{%- endif %}
