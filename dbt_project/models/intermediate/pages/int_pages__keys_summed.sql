with plan as (
    select * from {{ ref('int_plan__resolved') }}
),

sums as (
    {% call windowed_sums(ref('int_pages__keys_daily'), ['page_path', 'key']) %}
    {{ whole_sum('days.sessions') }} as sessions,
    {{ whole_sum('days.events') }} as events
    {% endcall %}
),

-- The pages that were asked for throughout the current window.
pages as (
    select *
    from {{ ref('int_pages__summed') }}
    qualify bool_or(is_asked and is_current) over (partition by property_id, window_name, current_end, page_path)
),

dense as (
    select
        reports.* replace (reports.is_complete and (left_out.name is null or sums.key is null) as is_complete),
        pages.page_path,
        keys.key,
        keys.tracking_state,
        reports.is_fully_loaded and coalesce(pages.is_asked, true) and left_out.name is null as is_known,
        case when is_known then sums.sessions end as sessions,
        case when is_known then sums.events end as events,
        {{ is_real_zero(
            'sums.key is null', 'keys.tracking_state', 'reports.is_doubtful',
            'is_known and not reports.is_partial'
        ) }} as is_zero
    from {{ ref('int_funnel__keys_assessed') }} as keys
    inner join plan using (key)
    inner join pages using (property_id, window_name, window_end)
    inner join {{ ref('int_reports__windowed') }} as reports
        on
            keys.property_id = reports.property_id
            and keys.window_name = reports.window_name
            and keys.window_end = reports.window_end
            and reports.report = case when plan.is_composite then 'page_micro' else 'page_events' end
    left join sums using (property_id, window_name, window_end, page_path, key)
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('keys', "'page_micro'", 'keys.key') }}
    where keys.key <> 'sessions'
)

select
    * exclude (report, sessions, events, tracking_state, is_zero, is_doubtful, is_fully_loaded, is_partial, is_known),
    {{ filled_counts(is_sessionless_window('events', 'sessions')) }}
from dense
