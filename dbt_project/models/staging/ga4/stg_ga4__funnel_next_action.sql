select *
from {{ source('raw', 'ga4_funnel_next_action') }}
where {{ takes_part() }}
