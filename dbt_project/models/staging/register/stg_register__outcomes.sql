select
    property_id,
    change_id,
    variant,
    date,
    exposed,
    numerator,
    denominator,
    rate_variance,
    macro_converted,
    revenue
from {{ source('ops', 'experiment_outcomes') }}
where {{ takes_part() }}
