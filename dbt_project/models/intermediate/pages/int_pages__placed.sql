-- The places that tell a stage: the home page by its view, the others by the steps of the extended funnel, deepest first.
with places as (
    select
        key,
        step_number as depth
    from {{ ref('funnel_steps') }}
    where funnel = 'extended' and key <> 'sessions'
    union all
    select
        'home_view' as key,
        1000 as depth
)

select
    pages.property_id,
    pages.window_name,
    pages.window_end,
    pages.page_path,
    case
        when pages.page_path = '/' then 'home'
        when pages.page_path not in ('(not set)', '(other)') then arg_max(plan.stage, places.depth)
    end as page_stage
from {{ ref('int_pages__summed') }} as pages
left join {{ ref('int_pages__keys_summed') }} as keys
    on
        pages.property_id = keys.property_id
        and pages.window_name = keys.window_name
        and pages.window_end = keys.window_end
        and pages.page_path = keys.page_path
        and keys.sessions > 0
        and keys.sessions >= {{ var('least_stage_share') }} * pages.sessions
left join places on keys.key = places.key
left join {{ ref('int_plan__resolved') }} as plan on places.key = plan.key
where pages.is_current
group by pages.property_id, pages.window_name, pages.window_end, pages.page_path
