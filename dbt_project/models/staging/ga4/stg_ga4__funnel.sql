select
    property_id,
    window_name,
    window_start,
    date,
    funnel,
    device_category,
    cast(step_number as integer) as step_number,
    step_key,
    cast(active_users as bigint) as active_users,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_funnel') }}
where {{ takes_part() }}
