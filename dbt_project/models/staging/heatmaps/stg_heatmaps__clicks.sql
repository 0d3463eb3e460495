select
    {{ map_columns() }},
    element,
    element_text,
    clicks
from {{ source('raw', 'heatmap_click') }}
where {{ takes_part() }}
