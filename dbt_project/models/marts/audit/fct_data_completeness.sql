with reports as (
    select distinct
        property_id,
        report
    from {{ ref('int_pulls__latest') }}
),

bounds as (
    select
        property_id,
        min(date) as first_date,
        max(date) as last_date
    from {{ ref('int_pulls__latest') }}
    group by property_id
),

-- Every date of a property since its first one, for every report it has: also those that nobody pulled.
expected as (
    select
        reports.property_id,
        reports.report,
        dates.date
    from reports
    inner join bounds on reports.property_id = bounds.property_id
    inner join {{ ref('dim_date') }} as dates on dates.date between bounds.first_date and bounds.last_date
)

select
    expected.property_id,
    expected.date,
    expected.report,
    coalesce(pulls.is_loaded, false) as is_loaded,
    coalesce(pulls.last_status, 'missing') as last_status,
    pulls.row_count,
    coalesce(pulls.is_sampled, false) as is_sampled,
    coalesce(pulls.is_thresholded, false) as is_thresholded,
    coalesce(pulls.has_other_row, false) as has_other_row,
    pulls.other_share,
    pulls.empty_reason,
    coalesce(pulls.restatements, 0) as restatements,
    coalesce(pulls.is_complete, false) as is_complete,
    coalesce(pulls.maturity, 'provisional') as maturity
from expected
left join {{ ref('int_pulls__latest') }} as pulls
    on
        expected.property_id = pulls.property_id
        and expected.report = pulls.report
        and expected.date = pulls.date
