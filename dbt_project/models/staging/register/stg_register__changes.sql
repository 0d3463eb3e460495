select
    property_id,
    change_id,
    kind,
    description,
    stage,
    key,
    page,
    device,
    from_json(elements, '["varchar"]') as elements,
    start_date,
    end_date,
    state,
    from_json(overlaps_with, '["varchar"]') as overlaps_with,
    variants,
    primary_metric,
    guardrail,
    smallest_effect,
    users_left_out,
    problem,
    note,
    naive_variance
from {{ source('ops', 'changes') }}
where {{ takes_part() }}
