select
    segment_name,
    api_dimension,
    position,
    is_partition,
    description
from {{ ref('segments') }}
