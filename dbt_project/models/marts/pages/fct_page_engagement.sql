{% set bounced = count_difference('sessions', 'engaged_sessions') %}

with stated as (
    select
        pages.*,
        placed.page_stage
    from {{ ref('int_pages__summed') }} as pages
    left join {{ ref('int_pages__placed') }} as placed using (property_id, window_name, window_end, page_path)
),

-- A bounce is a session of the page that was not engaged. Where GA4's estimates say that more were engaged than there
-- were, there is no such number.
rated as (
    select
        *,
        {{ rate_status('tracking_state', 'engaged_sessions', 'sessions') }} as status,
        case when status = 'measured' then {{ bounced }} end as bounced_sessions,
        {{ rate_with_interval(
            'bounce_rate', "status = 'measured'", bounced, 'sessions',
            effective_trials(bounced, 'sessions', phi='engaged_phi')
        ) }},
        case when tracking_state <> 'withheld' then {{ rate('engagement_seconds', 'views') }} end as dwell_seconds,
        {{ rate_with_interval(
            'scroll_rate', "tracking_state = 'tracked'", 'scroll_sessions', 'sessions',
            effective_trials('scroll_sessions', 'sessions', phi='scroll_phi'), ci='scroll_'
        ) }}
    from stated
),

{{ compared_windows(
    cell=['page_path'], columns=['views', 'sessions', 'bounce_rate', 'dwell_seconds', 'scroll_rate'],
    rate='bounce_rate', denominator='page_path'
) }}

select
    {{ window_columns() }},
    page_path,
    page_stage,
    'sessions' as unit,
    views,
    sessions,
    engaged_sessions,
    bounced_sessions,
    bounce_rate,
    ci_low,
    ci_high,
    engagement_seconds,
    dwell_seconds,
    scroll_sessions,
    scroll_rate,
    scroll_ci_low,
    scroll_ci_high,
    status,
    prior_views,
    prior_sessions,
    prior_bounce_rate,
    prior_dwell_seconds,
    prior_scroll_rate,
    {{ change_columns('bounce_rate') }}
from compared
