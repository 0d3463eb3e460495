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
)

select
    pairs.property_id,
    whole.date,
    whole.step_number,
    whole.step_key,
    pairs.source_a,
    pairs.source_b,
    pairs.other_property_id,
    pairs.first_judged,
    max(whole.sessions) filter (whole.property_id = pairs.property_id) as value_a,
    max(whole.sessions) filter (whole.property_id = pairs.other_property_id) as value_b
from pairs
inner join whole on whole.property_id in (pairs.property_id, pairs.other_property_id)
where whole.date between pairs.first_date and pairs.last_judged
group by all
