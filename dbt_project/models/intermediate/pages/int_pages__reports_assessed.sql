with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

pulls as (
    select * from {{ ref('int_pulls__latest') }}
    where window_name = '1d'
),

daily as (
    select
        periods.*,
        reports.report,
        coalesce(pulls.is_loaded, false) as is_loaded,
        coalesce(pulls.is_sampled, false) as is_sampled,
        coalesce(pulls.is_thresholded, false) as is_thresholded,
        coalesce(pulls.has_other_row, false) as has_other,
        coalesce(pulls.is_mostly_other, false) as is_mostly_other,
        pulls.restricted_metrics is not null as is_restricted,
        pulls.truncation is not null as is_truncated,
        coalesce(pulls.maturity, 'provisional') as maturity
    from periods
    cross join (values ('pages'), ('page_events'), ('page_micro'), ('item_lists')) as reports (report)
    left join pulls
        on periods.property_id = pulls.property_id and periods.date = pulls.date and reports.report = pulls.report
)

select
    property_id,
    window_name,
    window_days,
    window_start,
    window_end,
    current_end,
    is_current,
    report,
    cast(count(*) filter (where is_loaded) as integer) as days_loaded,
    bool_and(is_loaded) as is_fully_loaded,
    bool_and(is_loaded and not (is_thresholded or has_other or is_truncated)) as is_fully_reported,
    bool_or(is_sampled or is_restricted) as is_doubtful,
    bool_and(
        is_loaded and not (is_sampled or is_thresholded or is_mostly_other or is_restricted or is_truncated)
    ) and count(*) = window_days as is_complete,
    bit_or({{ flag_bits('is_sampled', 'is_thresholded', 'has_other', 'is_restricted', 'is_truncated') }}) as flag_bits,
    {{ worst_maturity('maturity') }} as maturity
from daily
group by property_id, window_name, window_days, window_start, window_end, current_end, is_current, report
