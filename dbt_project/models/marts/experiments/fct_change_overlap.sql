select
    property_id,
    change_id,
    kind,
    description,
    stage,
    key,
    page,
    device,
    array_to_string(elements, ', ') as elements,
    cast(len(elements) as integer) as element_count,
    start_date,
    end_date,
    state,
    len(overlaps_with) > 0 as overlap,
    array_to_string(overlaps_with, ', ') as overlaps_with,
    len(elements) > 1 as confounded
from {{ ref('stg_register__changes') }}
