select
    {{ map_columns() }},
    depth_percent,
    visitors,
    all_visitors,
    share
from {{ source('raw', 'heatmap_scroll') }}
where {{ takes_part() }}
