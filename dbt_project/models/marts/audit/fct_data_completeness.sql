with pulls as (
    select * from {{ ref('int_pulls__latest') }}
),

-- A field list cannot be read for a day that is over: a missing one is no gap. Nor has every day a week or month.
reports as (
    select distinct
        property_id,
        report
    from pulls
    where window_name = '1d' and report <> 'metadata'
),

-- A week or month that was over before a backfill began is a window, and no day of the property.
bounds as (
    select
        property_id,
        min(date) as first_date,
        max(date) as last_date
    from pulls
    where window_name = '1d'
    group by property_id
),

-- Every date of a property since its first day, for every report it has: also those that nobody pulled.
expected as (
    select
        reports.property_id,
        reports.report,
        dates.date,
        '1d' as window_name
    from reports
    inner join bounds on reports.property_id = bounds.property_id
    inner join {{ ref('dim_date') }} as dates on dates.date between bounds.first_date and bounds.last_date
    union
    select
        property_id,
        report,
        date,
        window_name
    from pulls
),

-- By how much days grew after they were first pulled, of those that may not grow any more: what the newest still have to come.
grown as (
    select
        pulls.property_id,
        pulls.report,
        pulls.window_name,
        median((pulls.last_total - pulls.first_total) / pulls.first_total) as usual_growth
    from pulls
    inner join bounds using (property_id)
    where
        pulls.first_maturity = 'provisional'
        and pulls.maturity <> 'provisional'
        and pulls.first_total > 0
        and pulls.date > bounds.last_date - {{ 7 * var('own_weeks') }}
    group by pulls.property_id, pulls.report, pulls.window_name
),

-- The two reports that every number of the whole property rests on.
answered as (
    select
        property_id,
        date,
        count(*) = 2 and bool_and(is_whole and maturity <> 'provisional') as is_day_complete
    from pulls
    where report in ('sessions_by_all', 'events_by_all') and window_name = '1d'
    group by property_id, date
)

select
    property_id,
    date,
    report,
    window_name,
    coalesce(pulls.is_loaded, false) as is_loaded,
    coalesce(pulls.last_status, 'missing') as last_status,
    pulls.last_message,
    pulls.row_count,
    coalesce(pulls.is_sampled, false) as is_sampled,
    coalesce(pulls.is_thresholded, false) as is_thresholded,
    coalesce(pulls.has_other_row, false) as has_other_row,
    pulls.other_share,
    coalesce(pulls.has_missing_rows, false) as has_missing_rows,
    pulls.missing_share,
    coalesce(pulls.has_low_volume, false) as has_low_volume,
    pulls.warnings,
    coalesce(pulls.restricted_metrics is not null, false) as is_restricted,
    pulls.restricted_metrics,
    coalesce(pulls.truncation is not null, false) as is_truncated,
    pulls.truncation,
    pulls.empty_reason,
    pulls.currency,
    pulls.time_zone,
    pulls.first_total,
    pulls.last_total,
    coalesce(pulls.restatement_count, 0) as restatement_count,
    pulls.last_restated_at,
    coalesce(pulls.is_complete, false) as is_complete,
    coalesce(pulls.maturity, 'provisional') as maturity,
    coalesce(answered.is_day_complete, false) as is_day_complete,
    case when pulls.maturity = 'provisional' then grown.usual_growth end as usual_growth
from expected
left join pulls using (property_id, report, date, window_name)
left join grown using (property_id, report, window_name)
left join answered using (property_id, date)
