-- Daily rates with the days before that they are compared with: the core steps of the shop and by device, every other key
-- over its parent for the whole shop, and what each of two sources has of the larger of their counts.
with latest as (
    select * from {{ judged_days() }}
),

core as (
    select * from {{ core_steps() }}
),

rates as (
    select
        core.key,
        core.previous_step_key as parent_key,
        unnest(['all', 'device']) as segment_name
    from core
    where core.previous_step_key is not null
    union
    select
        plan.key,
        plan.parent_key,
        'all' as segment_name
    from {{ ref('int_plan__resolved') }} as plan
    where plan.parent_key <> '@previous' and plan.key not in (select core.key from core)
),

declared as (
    select
        days.property_id,
        days.date,
        days.segment_value,
        days.key,
        bool_or(changes.change_id is not null) as is_declared
    from {{ ref('int_funnel__days_filled') }} as days
    inner join {{ ref('stg_register__changes') }} as changes
        on
            days.property_id = changes.property_id
            and days.date between changes.start_date and coalesce(changes.end_date, changes.start_date)
            and changes.device in (days.segment_value, 'all')
    where days.segment_name in ('all', 'device') and changes.kind = 'change'
    group by all
),

paired as (
    select
        numerator_row.property_id,
        numerator_row.date,
        numerator_row.segment_name,
        numerator_row.segment_value,
        numerator_row.key,
        rates.parent_key,
        numerator_row.sessions as numerator,
        denominator_row.sessions as denominator,
        latest.first_judged,
        {{ rate_state('numerator_row.tracking_state', 'denominator_row.tracking_state') }} as tracking_state,
        numerator_row.is_complete and denominator_row.is_complete as is_complete,
        coalesce(declared.is_declared, false) as is_declared
    from rates
    inner join {{ ref('int_funnel__days_filled') }} as numerator_row using (key, segment_name)
    inner join latest using (property_id)
    left join declared using (property_id, date, segment_value, key)
    inner join {{ ref('int_funnel__days_filled') }} as denominator_row using (property_id, date, segment_name, segment_value)
    where
        rates.parent_key = denominator_row.key
        and numerator_row.date between latest.first_judged - {{ var('anomaly_history_days') }} and latest.last_judged
),

-- Each source for itself: a share of the larger count is a rate whichever of the two has more. Days that one of them does not
-- have whole are no rate, and their own alerts tell of them.
sources as (
    select
        *,
        unnest([source_a, source_b]) as source,
        unnest([source_b, source_a]) as other_source,
        unnest([value_a, value_b]) as value
    from {{ ref('int_sources__paired') }}
    where value_a is not null and value_b is not null and is_comparable
)

select
    *,
    cast(null as varchar) as source,
    cast(null as varchar) as other_source,
    cast(null as varchar) as other_property_id,
    tracking_state = 'tracking_lost' as is_lost,
    not is_complete or tracking_state = 'withheld' as is_flawed
from paired
where tracking_state in ('tracked', 'withheld', 'tracking_lost')
union all by name
select
    property_id,
    date,
    'source' as segment_name,
    source || ' / ' || other_source as segment_value,
    step_key as key,
    step_key as parent_key,
    value as numerator,
    greatest(value_a, value_b) as denominator,
    first_judged,
    'tracked' as tracking_state,
    true as is_complete,
    false as is_declared,
    source,
    other_source,
    other_property_id,
    false as is_lost,
    false as is_flawed
from sources
