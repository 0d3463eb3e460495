select *
from {{ source('raw', 'heatmap_click') }}
where {{ takes_part() }}
