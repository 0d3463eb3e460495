with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

reports as (
    select * from {{ ref('int_reports__windowed') }}
),

-- GA4 sends `scroll` itself, at 90 % of a page: it has no other name.
asked as (
    select
        property_id,
        date,
        page_path,
        max(sessions) filter (where event_name = 'scroll') as scroll_sessions
    from {{ ref('stg_ga4__page_events') }}
    group by property_id, date, page_path
),

-- is_silent: the report of events by page is not there for the date, or left rows out, so that a page which is missing from
-- it may have been asked for.
daily as (
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
),

sums as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        daily.page_path,
        {{ whole_sum('daily.views') }} as views,
        {{ whole_sum('daily.sessions') }} as sessions,
        {{ whole_sum('daily.engaged_sessions') }} as engaged_sessions,
        {{ whole_sum('daily.engagement_seconds', 'double') }} as engagement_seconds,
        {{ count_sum('coalesce(daily.scroll_sessions, 0)') }} as scroll_sessions,
        bool_or(daily.has_events) and bool_and(daily.has_events or daily.is_silent) as is_asked
    from periods
    inner join daily using (property_id, date)
    group by all
),

-- Without any such event in the window nobody knows whether pages were scrolled: GA4's own measurement may be off.
scrolled as (
    select
        *,
        bool_or(scroll_sessions > 0) over (partition by property_id, window_name, window_end) as has_scroll
    from sums
),

-- The pages of the current window (the window before is read for the same ones).
dense as (
    select
        reports.*,
        cells.page_path,
        scrolled.views,
        scrolled.sessions,
        scrolled.engaged_sessions,
        scrolled.engagement_seconds,
        scrolled.scroll_sessions,
        scrolled.is_asked,
        scrolled.has_scroll,
        scrolled.page_path is null and reports.is_fully_loaded and not reports.is_doubtful and not reports.is_partial as is_zero,
        coalesce(events.is_fully_loaded and not events.is_doubtful and not events.is_partial, false) as is_scroll_reported
    from reports
    inner join scrolled as cells
        on
            reports.property_id = cells.property_id
            and reports.window_name = cells.window_name
            and reports.current_end = cells.current_end
            and cells.is_current
    left join reports as events
        on
            reports.property_id = events.property_id
            and reports.window_name = events.window_name
            and reports.window_end = events.window_end
            and events.report = 'page_events'
    left join scrolled
        on
            reports.property_id = scrolled.property_id
            and reports.window_name = scrolled.window_name
            and reports.window_end = scrolled.window_end
            and cells.page_path = scrolled.page_path
    where reports.report = 'pages'
)

select
    * exclude (
        views, sessions, engaged_sessions, engagement_seconds, scroll_sessions, has_scroll, is_zero, is_scroll_reported, report
    ),
    {%- for column in ['views', 'sessions', 'engaged_sessions', 'engagement_seconds'] %}
    case when is_zero then 0 when is_fully_loaded then {{ column }} end as {{ column }},
    {%- endfor %}
    case when is_scroll_reported and has_scroll and is_asked then scroll_sessions end as scroll_sessions,
    is_doubtful or (not is_zero and (not is_fully_loaded or sessions is null)) as is_withheld
from dense
