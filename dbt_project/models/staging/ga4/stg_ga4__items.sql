select *
from {{ source('raw', 'ga4_items') }}
where {{ takes_part() }}
