with metrics as (
    select
        property_id,
        unnest(metrics, recursive := true)
    from {{ ref('int_experiments__scored') }}
)

select
    property_id,
    key,
    parent_key,
    family,
    numerator,
    denominator,
    rate,
    phi,
    weekly_units,
    lift,
    units_per_arm,
    weeks,
    weeks_nightly,
    detectable_lift,
    speed_up,
    recommended
from metrics
