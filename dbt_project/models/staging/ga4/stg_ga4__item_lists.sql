select
    property_id,
    date,
    item_list_name,
    cast(items_viewed_in_list as bigint) as items_viewed_in_list,
    cast(items_clicked_in_list as bigint) as items_clicked_in_list,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_item_lists') }}
where {{ takes_part() }}
