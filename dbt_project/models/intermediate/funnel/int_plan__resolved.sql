-- The shop's own rows go before the seed's (pipelines/config/tracking_plan merges them column by column).
with planned as (
    select * from {{ source('ops', 'tracking_plan_overrides') }}
    union all by name
    select seeded.*
    from {{ ref('micro_conversions') }} as seeded
    anti join {{ source('ops', 'tracking_plan_overrides') }} as own on seeded.key = own.key
),

keys as (
    select
        planned.* replace (trim(planned.event_names, ' |') as event_names),
        trim(planned.event_names, ' |') like '%|%' or planned.parameter_filter is not null as is_composite,
        coalesce(planned.key in (select declared.key from {{ source('ops', 'not_applicable_keys') }} as declared), false)
            as is_not_applicable
    from planned
),

steps as (
    select *
    from {{ ref('funnel_steps') }}
    where funnel = 'extended'
),

-- `@previous` moves with what is tracked, so what a key had the chance to follow is read at the core step before it.
core_before as (
    select
        step.key,
        arg_max(core.key, core.step_number) as core_key
    from steps as step
    inner join steps as core on step.step_number > core.step_number and not core.is_optional
    group by step.key
),

floors as (
    select
        numerator,
        denominator,
        min(low) as low
    from {{ ref('int_benchmarks__resolved') }}
    where is_default
    group by numerator, denominator
),

exposed as (
    select
        keys.*,
        coalesce(case when keys.parent_key = '@previous' then core_before.core_key else keys.parent_key end, 'sessions')
            as exposure_key
    from keys
    left join core_before on keys.key = core_before.key
)

select
    exposed.key,
    exposed.stage,
    exposed.family,
    exposed.event_names,
    exposed.parameter_filter,
    exposed.parent_key,
    exposed.exposure_key,
    coalesce(floors.low, {{ var('default_floor') }}) as floor_rate,
    exposed.is_composite,
    exposed.is_not_applicable,
    exposed.intent_rank,
    exposed.is_expected,
    exposed.origin,
    exposed.benchmark_key,
    exposed.description
from exposed
left join floors on exposed.key = floors.numerator and exposed.exposure_key = floors.denominator

union all

select
    'sessions' as key,
    'site' as stage,
    'progression' as family,
    null as event_names,
    null as parameter_filter,
    null as parent_key,
    null as exposure_key,
    null as floor_rate,
    false as is_composite,
    false as is_not_applicable,
    null as intent_rank,
    true as is_expected,
    'automatic' as origin,
    null as benchmark_key,
    'All sessions: where every funnel begins' as description
