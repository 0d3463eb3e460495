select *
from {{ source('raw', 'heatmap_scroll') }}
where {{ takes_part() }}
