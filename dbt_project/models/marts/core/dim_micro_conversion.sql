with steps as (
    select
        key,
        bool_or(funnel = 'core') as is_core
    from {{ ref('funnel_steps') }}
    group by key
)

select
    plan.key,
    plan.stage,
    plan.family,
    plan.event_names,
    plan.parameter_filter,
    plan.is_composite,
    plan.parent_key,
    cast(plan.intent_rank as integer) as intent_rank,
    plan.is_expected,
    coalesce(steps.is_core, false) as is_core,
    steps.key is not null as is_funnel_step,
    plan.origin,
    plan.benchmark_key,
    plan.description
from {{ ref('int_plan__resolved') }} as plan
left join steps on plan.key = steps.key
