{% set bounced = count_difference('sessions', 'engaged_sessions') %}

with stated as (
    select
        *,
        case
            when is_withheld then 'withheld'
            when {{ is_sessionless_window('views', 'sessions') }} then 'sessionless'
            when sessions = 0 then 'no_denominator'
            when {{ is_beyond('engaged_sessions', 'sessions') }} then 'anomaly'
            else 'measured'
        end as status
    from {{ ref('int_pages__summed') }}
),

-- A bounce is a session of the page that was not engaged. Where GA4's estimates say that more were engaged than there
-- were, there is no such number.
rated as (
    select
        *,
        status not in ('withheld', 'sessionless') as has_sessions,
        case when status = 'measured' then {{ bounced }} end as bounced_sessions,
        case when status = 'measured' then {{ rate(bounced, 'sessions') }} end as bounce_rate,
        case when status = 'measured' then {{ wilson_low(bounced, 'sessions') }} end as ci_low,
        case when status = 'measured' then {{ wilson_high(bounced, 'sessions') }} end as ci_high,
        case when not is_withheld then {{ rate('engagement_seconds', 'views') }} end as dwell_seconds,
        case when has_sessions then {{ rate('scroll_sessions', 'sessions') }} end as scroll_rate,
        case when has_sessions then {{ wilson_low('scroll_sessions', 'sessions') }} end as scroll_ci_low,
        case when has_sessions then {{ wilson_high('scroll_sessions', 'sessions') }} end as scroll_ci_high
    from stated
),

{{ compared_windows(cell=['page_path'], count='sessions', rate='bounce_rate', denominator='page_path') }},

changed as (
    select
        *,
        {{ rate_change('bounce_rate') }}
    from compared
)

select
    pages.property_id,
    pages.window_name,
    pages.window_start,
    pages.window_end,
    pages.window_days,
    pages.days_loaded,
    pages.page_path,
    placed.page_stage,
    'sessions' as unit,
    pages.views,
    pages.sessions,
    pages.engaged_sessions,
    pages.bounced_sessions,
    pages.bounce_rate,
    pages.ci_low,
    pages.ci_high,
    pages.engagement_seconds,
    pages.dwell_seconds,
    pages.scroll_sessions,
    pages.scroll_rate,
    pages.scroll_ci_low,
    pages.scroll_ci_high,
    pages.status,
    case when pages.is_before_whole then before.views end as previous_views,
    pages.before_count as previous_sessions,
    pages.before_rate as previous_bounce_rate,
    case when pages.is_before_whole then before.dwell_seconds end as previous_dwell_seconds,
    case when pages.is_before_whole then before.scroll_rate end as previous_scroll_rate,
    pages.before_status as previous_status,
    pages.before_days_loaded as previous_days_loaded,
    pages.bounce_rate_change,
    pages.change_ci_low,
    pages.change_ci_high,
    pages.is_prior_complete,
    pages.is_complete,
    pages.maturity,
    {{ flag_names('pages.flag_bits') }} as flags
from changed as pages
left join {{ ref('int_pages__placed') }} as placed using (property_id, window_name, window_end, page_path)
left join rated as before
    on
        pages.property_id = before.property_id
        and pages.window_name = before.window_name
        and pages.window_start = before.window_end + 1
        and pages.page_path = before.page_path
