select
    pull_id,
    property_id,
    report,
    report_version,
    date,
    -- A partition of a report by day is one day; windows name themselves.
    coalesce(window_name, '1d') as window_name,
    status,
    row_count,
    totals,
    coalesce(is_sampled, false) as is_sampled,
    coalesce(is_thresholded, false) as is_thresholded,
    coalesce(has_other_row, false) as has_other_row,
    other_share,
    missing_share,
    nullif(empty_reason, '') as empty_reason,
    nullif(restricted_metrics, '') as restricted_metrics,
    nullif(truncation, '') as truncation,
    nullif(currency, '') as currency,
    nullif(time_zone, '') as time_zone,
    nullif(message, '') as message,
    pulled_at
from {{ source('ops', 'pulls') }}
