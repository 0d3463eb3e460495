select
    segment_name,
    api_dimension,
    position,
    description
from {{ ref('segments') }}
