select
    property_id,
    tool,
    page_path,
    device,
    period_start,
    period_end,
    element,
    element_text,
    clicks
from {{ source('raw', 'heatmap_click') }}
where {{ takes_part() }}
