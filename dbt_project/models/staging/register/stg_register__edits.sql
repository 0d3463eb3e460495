select
    property_id,
    change_id,
    noticed_on,
    field,
    old,
    new
from {{ source('ops', 'experiment_edits') }}
where {{ takes_part() }}
