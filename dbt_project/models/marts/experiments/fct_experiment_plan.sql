with metrics as (
    select
        property_id,
        unnest(metrics) as metric
    from {{ ref('int_experiments__scored') }}
)

select
    property_id,
    metric['key'] as key,
    metric['parent_key'] as parent_key,
    metric['family'] as family,
    metric['numerator'] as numerator,
    metric['denominator'] as denominator,
    metric['rate'] as rate,
    metric['phi'] as phi,
    metric['weekly_units'] as weekly_units,
    metric['lift'] as lift,
    metric['units_per_arm'] as units_per_arm,
    metric['weeks'] as weeks,
    metric['weeks_nightly'] as weeks_nightly,
    metric['detectable_lift'] as detectable_lift,
    metric['speed_up'] as speed_up,
    metric['recommended'] as recommended
from metrics
