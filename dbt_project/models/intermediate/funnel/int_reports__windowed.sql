with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

pulls as (
    select * from {{ ref('int_pulls__latest') }}
    where window_name = '1d'
),

-- Every report that was ever asked for, on each of the window's loaded dates.
asked as (
    select distinct
        property_id,
        report
    from pulls
),

flagged as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_days,
        periods.window_start,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        asked.report,
        count(*) filter (where pulls.is_loaded) as days_loaded,
        bool_and(coalesce(pulls.is_loaded, false)) as is_fully_loaded,
        coalesce(bool_or(pulls.is_sampled), false) as is_sampled,
        coalesce(bool_or(pulls.is_thresholded), false) as is_thresholded,
        coalesce(bool_or(pulls.has_other_row), false) as has_other,
        coalesce(bool_or(pulls.is_mostly_other), false) as is_mostly_other,
        coalesce(bool_or(pulls.restricted_metrics is not null), false) as is_restricted,
        coalesce(bool_or(pulls.truncation is not null), false) as is_truncated,
        {{ worst_maturity("coalesce(pulls.maturity, 'provisional')") }} as maturity
    from periods
    inner join asked on periods.property_id = asked.property_id
    left join pulls on periods.property_id = pulls.property_id and periods.date = pulls.date and asked.report = pulls.report
    group by all
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
    cast(days_loaded as integer) as days_loaded,
    is_fully_loaded,
    is_sampled or is_restricted as is_doubtful,
    is_thresholded or has_other or is_truncated as is_partial,
    days_loaded = window_days
    and not (is_sampled or is_thresholded or is_mostly_other or is_restricted or is_truncated) as is_complete,
    maturity,
    {{ flag_bits('is_sampled', 'is_thresholded', 'has_other', 'is_restricted', 'is_truncated') }} as flag_bits
from flagged
