select
    * replace (
        from_json(elements, '["varchar"]') as elements,
        from_json(overlaps_with, '["varchar"]') as overlaps_with
    )
from {{ source('ops', 'changes') }}
where {{ takes_part() }}
