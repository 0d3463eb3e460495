-- The same shop by two sources: how many sessions each has at a step on a day that both may know, from the first that both have
-- to the newest that is settled. NULL where a source has no whole number of the day; never 0.
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
),

told as (
    select
        pairs.*,
        whole.date,
        whole.step_number,
        whole.step_key,
        whole.sessions as value_a,
        cast(null as bigint) as value_b
    from pairs
    inner join whole on pairs.property_id = whole.property_id
    union all
    select
        pairs.*,
        whole.date,
        whole.step_number,
        whole.step_key,
        cast(null as bigint) as value_a,
        whole.sessions as value_b
    from pairs
    inner join whole on pairs.other_property_id = whole.property_id
)

select
    property_id,
    date,
    step_number,
    step_key,
    source_a,
    source_b,
    other_property_id,
    first_judged,
    max(value_a) as value_a,
    max(value_b) as value_b
from told
where date between first_date and last_judged
group by all
