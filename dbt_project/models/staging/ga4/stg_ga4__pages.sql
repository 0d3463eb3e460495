select *
from {{ source('raw', 'ga4_pages') }}
where {{ takes_part() }}
