{{ config(materialized='view') }}

-- GA4 sends `scroll` itself, at 90 % of a page: it has no other name.
with asked as (
    select
        property_id,
        date,
        page_path,
        max(sessions) filter (where event_name = 'scroll') as scroll_sessions
    from {{ ref('stg_ga4__page_events') }}
    group by property_id, date, page_path
)

select
    pages.property_id,
    pages.date,
    pages.page_path,
    pages.screen_page_views as views,
    pages.sessions,
    pages.engaged_sessions,
    pages.user_engagement_duration as engagement_seconds,
    asked.scroll_sessions,
    asked.page_path is not null as has_events,
    coalesce(not pulls.is_loaded or pulls.is_partial, true) as is_silent
from {{ ref('stg_ga4__pages') }} as pages
left join asked
    on pages.property_id = asked.property_id and pages.date = asked.date and pages.page_path = asked.page_path
left join {{ ref('int_pulls__latest') }} as pulls
    on
        pages.property_id = pulls.property_id
        and pages.date = pulls.date
        and pulls.report = 'page_events'
        and pulls.window_name = '1d'
