select *
from {{ source('ops', 'experiment_edits') }}
where {{ takes_part() }}
