select
    property_id,
    report,
    date,
    expectation,
    mark,
    observed
from {{ source('ops', 'day_warnings') }}
