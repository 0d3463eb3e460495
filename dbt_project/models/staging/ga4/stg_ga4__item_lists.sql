select *
from {{ source('raw', 'ga4_item_lists') }}
where {{ takes_part() }}
