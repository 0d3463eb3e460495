{{ config(materialized='view') }}

-- The core funnel of each landing page in the 28 days, with the type of the page: a product page is a product view by itself, so
-- it is like other product pages, and the home page like none.
with steps as (
    select *
    from {{ ref('int_funnel__steps_chained') }}
    where funnel = 'core' and is_current and window_name = '28d'
),

reach as (
    select *
    from {{ ref('int_funnel__reach_summed') }}
    where segment_name = 'landing_page' and segment_value not in ('(not set)', '(other)', '')
),

{{ rated_steps(period=['window_name', 'window_end']) }}

select
    rated.property_id,
    rated.window_name,
    rated.window_end,
    rated.segment_value as landing_page,
    coalesce(placed.page_stage, 'other') as page_type,
    rated.step_key,
    rated.previous_step_key,
    rated.reached as numerator,
    rated.previous_reached as denominator,
    rated.step_rate as rate,
    rated.ci_low,
    rated.ci_high,
    rated.phi,
    rated.is_complete,
    rated.maturity,
    rated.flag_bits
from rated
left join {{ ref('int_pages__placed') }} as placed
    on
        rated.property_id = placed.property_id
        and rated.window_name = placed.window_name
        and rated.window_end = placed.window_end
        and rated.segment_value = placed.page_path
where rated.previous_step_key is not null and rated.step_state = 'tracked'
