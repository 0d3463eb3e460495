select
    pull_id,
    property_id,
    report,
    report_version,
    date,
    status,
    row_count,
    totals,
    coalesce(is_sampled, false) as is_sampled,
    coalesce(is_thresholded, false) as is_thresholded,
    coalesce(has_other_row, false) as has_other_row,
    other_share,
    empty_reason,
    pulled_at
from {{ source('ops', 'pulls') }}
