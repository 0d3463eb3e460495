with unioned as (
    {{ union_segments('sessions', [
        'sessions', 'engaged_sessions', 'screen_page_views', 'user_engagement_duration', 'transactions', 'purchase_revenue'
    ]) }}
)

select
    property_id,
    date,
    segment_name,
    segment_value,
    cast(sessions as bigint) as sessions,
    cast(engaged_sessions as bigint) as engaged_sessions,
    cast(screen_page_views as bigint) as screen_page_views,
    cast(user_engagement_duration as double) as user_engagement_duration,
    cast(transactions as bigint) as transactions,
    cast(purchase_revenue as double) as purchase_revenue,
    pulled_at,
    pull_id
from unioned
