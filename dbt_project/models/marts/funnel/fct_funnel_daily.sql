{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook="{{ delete_stale_days() }}"
) }}

with days as (
    {{ days_to_build() }}
),

steps as (
    select
        chained.property_id,
        days.date,
        chained.funnel,
        chained.step_number,
        chained.step_key,
        chained.step_label,
        chained.is_optional,
        chained.is_in_chain,
        chained.previous_step_key
    from {{ ref('int_funnel__steps_chained') }} as chained
    inner join days on chained.property_id = days.property_id and chained.window_end = days.date
    where chained.window_name = '1d'
),

reach as (
    select filled.*
    from {{ ref('int_funnel__days_filled') }} as filled
    inner join days on filled.property_id = days.property_id and filled.date = days.date
),

{{ rated_steps(period=['date']) }}

select
    property_id,
    date,
    funnel,
    segment_name,
    segment_value,
    step_number,
    step_key,
    step_label,
    previous_step_key,
    'sessions' as unit,
    'open' as funnel_type,
    reached,
    previous_reached,
    entry_reached,
    step_rate,
    drop_off,
    lost,
    cumulative_rate,
    ci_low,
    ci_high,
    status,
    tracking_state,
    is_optional,
    is_in_chain,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from rated
