{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ delete_stale_days() }}"
) }}

with days as (
    {{ days_to_build() }}
),

reach as (
    select filled.*
    from {{ ref('int_funnel__days_filled') }} as filled
    inner join days on filled.property_id = days.property_id and filled.date = days.date
),

chain as (
    select
        property_id,
        window_end as date,
        step_key,
        previous_step_key
    from {{ ref('int_funnel__steps_chained') }}
    where window_name = '1d' and funnel = 'extended'
),

-- `@previous` is the previous step of the extended funnel as it was joined on that date.
resolved as (
    select
        reach.*,
        plan.stage,
        plan.family,
        case when plan.parent_key = '@previous' then chain.previous_step_key else plan.parent_key end as parent_key
    from reach
    inner join {{ ref('int_plan__resolved') }} as plan on reach.key = plan.key
    left join chain on reach.property_id = chain.property_id and reach.date = chain.date and reach.key = chain.step_key
    where reach.key <> 'sessions'
),

paired as (
    select
        resolved.* replace (
            resolved.is_complete and coalesce(parent.is_complete, true) as is_complete,
            {{ worse_maturity('resolved.maturity', 'parent.maturity') }} as maturity,
            resolved.flag_bits | coalesce(parent.flag_bits, 0) as flag_bits
        ),
        parent.sessions as parent_sessions,
        case
            when resolved.parent_key is null then resolved.tracking_state
            else {{ rate_state('resolved.tracking_state', 'parent.tracking_state') }}
        end as rate_state
    from resolved
    left join reach as parent
        on
            resolved.property_id = parent.property_id
            and resolved.date = parent.date
            and resolved.segment_name = parent.segment_name
            and resolved.segment_value = parent.segment_value
            and resolved.parent_key = parent.key
)

select
    property_id,
    date,
    segment_name,
    segment_value,
    key,
    stage,
    family,
    'sessions' as unit,
    sessions,
    events,
    parent_key,
    parent_sessions,
    case when rate_state = 'tracked' then {{ rate('sessions', 'parent_sessions') }} end as micro_rate,
    case when rate_state = 'tracked' then {{ wilson_low('sessions', 'parent_sessions') }} end as ci_low,
    case when rate_state = 'tracked' then {{ wilson_high('sessions', 'parent_sessions') }} end as ci_high,
    case
        when rate_state <> 'tracked' then rate_state
        when parent_key is null then 'no_parent'
        when parent_sessions = 0 then 'no_denominator'
        when sessions > parent_sessions then 'anomaly'
        else 'measured'
    end as status,
    tracking_state,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from paired
