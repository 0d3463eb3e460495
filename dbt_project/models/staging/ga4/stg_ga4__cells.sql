select
    property_id,
    date,
    'cells' as report,
    'device_channel_visitor' as cube,
    device_category as device,
    session_default_channel_group as channel,
    new_vs_returning as visitor,
    '(all)' as country,
    micro_key as key,
    sessions,
    event_count as events
from {{ source('raw', 'ga4_cells') }}
where {{ takes_part() }}
union all
select
    property_id,
    date,
    'cells_country' as report,
    'device_country' as cube,
    device_category as device,
    '(all)' as channel,
    '(all)' as visitor,
    country,
    micro_key as key,
    sessions,
    event_count as events
from {{ source('raw', 'ga4_cells_country') }}
where {{ takes_part() }}
