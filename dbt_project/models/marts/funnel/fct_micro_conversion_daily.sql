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

{{ rated_keys(period=['date']) }}

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
    micro_rate,
    ci_low,
    ci_high,
    status,
    tracking_state,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from rated
