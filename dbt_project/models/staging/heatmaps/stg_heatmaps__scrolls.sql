select
    property_id,
    tool,
    page_path,
    device,
    period_start,
    period_end,
    depth_percent,
    visitors,
    all_visitors,
    share
from {{ source('raw', 'heatmap_scroll') }}
where {{ takes_part() }}
