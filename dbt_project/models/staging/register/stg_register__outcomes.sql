select *
from {{ source('ops', 'experiment_outcomes') }}
where {{ takes_part() }}
