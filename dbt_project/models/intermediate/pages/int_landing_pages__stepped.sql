{{ config(materialized='view') }}

-- The core funnel of each landing page in the 28 days, with the type of the page: a product page is a product view by itself, so
-- it is like other product pages, and the home page like none.
with reach as (
    select *
    from {{ ref('int_funnel__reach_summed') }}
    where
        segment_name = 'landing_page'
        and is_current
        and window_name = '28d'
        and tracking_state = 'tracked'
        and segment_value not in ('(not set)', '(other)', '')
)

select
    reached.property_id,
    reached.window_name,
    reached.window_end,
    reached.segment_value as landing_page,
    coalesce(placed.page_stage, 'other') as page_type,
    steps.step_key,
    steps.previous_step_key,
    reached.sessions as numerator,
    previous.sessions as denominator,
    coalesce(noise.phi_wide, 1) as phi,
    reached.is_complete and previous.is_complete as is_complete,
    {{ worse_maturity('reached.maturity', 'previous.maturity') }} as maturity,
    reached.flag_bits | previous.flag_bits as flag_bits
from {{ ref('int_funnel__steps_chained') }} as steps
inner join reach as reached
    on steps.property_id = reached.property_id and steps.window_name = reached.window_name and steps.step_key = reached.key
inner join reach as previous
    on
        reached.property_id = previous.property_id
        and reached.window_name = previous.window_name
        and reached.segment_value = previous.segment_value
        and steps.previous_step_key = previous.key
left join {{ ref('int_pages__placed') }} as placed
    on
        reached.property_id = placed.property_id
        and reached.window_name = placed.window_name
        and reached.window_end = placed.window_end
        and reached.segment_value = placed.page_path
left join {{ ref('int_funnel__rates_dispersed') }} as noise
    on
        reached.property_id = noise.property_id
        and reached.window_name = noise.window_name
        and reached.window_end = noise.window_end
        and reached.segment_name = noise.segment_name
        and reached.segment_value = noise.segment_value
        and steps.step_key = noise.numerator_key
        and steps.previous_step_key = noise.denominator_key
where steps.funnel = 'core' and steps.is_current
