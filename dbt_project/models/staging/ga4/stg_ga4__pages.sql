select
    property_id,
    date,
    page_path,
    cast(screen_page_views as bigint) as screen_page_views,
    cast(sessions as bigint) as sessions,
    cast(engaged_sessions as bigint) as engaged_sessions,
    cast(user_engagement_duration as double) as user_engagement_duration,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_pages') }}
where {{ takes_part() }}
