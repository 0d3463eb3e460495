select *
from {{ source('raw', 'ga4_funnel') }}
where {{ takes_part() }}
