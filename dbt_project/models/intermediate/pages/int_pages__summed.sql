with reports as (
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
    left join asked using (property_id, date, page_path)
    left join {{ ref('int_pulls__latest') }} as pulls
        on
            pages.property_id = pulls.property_id
            and pages.date = pulls.date
            and pulls.report = 'page_events'
            and pulls.window_name = '1d'
),

sums as (
    {% call windowed_sums('daily', ['page_path']) %}
    {{ whole_sum('days.views') }} as views,
    {{ whole_sum('days.sessions') }} as sessions,
    {{ whole_sum('days.engaged_sessions') }} as engaged_sessions,
    {{ whole_sum('days.engagement_seconds', 'double') }} as engagement_seconds,
    {{ count_sum('coalesce(days.scroll_sessions, 0)') }} as scroll_sessions,
    {{ widened_overdispersion('days.engaged_sessions', 'days.sessions') }} as engaged_phi,
    {{ widened_overdispersion('case when days.has_events then coalesce(days.scroll_sessions, 0) end', 'days.sessions') }}
        as scroll_phi,
    bool_or(days.has_events) and bool_and(days.has_events or days.is_silent) as is_asked
    {% endcall %}
),

-- Without any such event in the window nobody knows whether pages were scrolled: GA4's own measurement may be off.
scrolled as (
    select
        *,
        bool_or(scroll_sessions > 0) over (partition by property_id, window_name, window_end) as has_scroll
    from sums
),

-- The pages of the current window (the window before is read for the same ones).
cells as (
    select * exclude (window_end)
    from sums
    where is_current
),

events as (
    select
        property_id,
        window_name,
        window_end,
        is_fully_loaded and not is_doubtful and not is_partial as is_scroll_reported
    from reports
    where report = 'page_events'
),

dense as (
    select
        reports.*,
        cells.page_path,
        scrolled.views,
        scrolled.sessions,
        scrolled.engaged_sessions,
        scrolled.engagement_seconds,
        scrolled.scroll_sessions,
        scrolled.engaged_phi,
        scrolled.scroll_phi,
        scrolled.is_asked,
        scrolled.has_scroll,
        scrolled.page_path is null and reports.is_fully_loaded and not reports.is_doubtful and not reports.is_partial as is_zero,
        coalesce(events.is_scroll_reported, false) as is_scroll_reported
    from reports
    inner join cells using (property_id, window_name, current_end)
    left join events using (property_id, window_name, window_end)
    left join scrolled using (property_id, window_name, window_end, page_path)
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
    case
        when is_doubtful or (not is_zero and (not is_fully_loaded or sessions is null)) then 'withheld'
        when {{ is_sessionless_window('views', 'sessions') }} then 'sessionless'
        else 'tracked'
    end as tracking_state
from dense
