select
    property_id,
    window_name,
    window_start,
    date,
    event_name,
    device_category,
    cast(total_users as bigint) as total_users,
    cast(active_users as bigint) as active_users,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_users_window') }}
where {{ takes_part() }}
