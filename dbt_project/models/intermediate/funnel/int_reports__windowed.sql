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
        periods.* exclude (date),
        asked.report,
        count(*) filter (where pulls.is_loaded) as days_loaded,
        bool_and(coalesce(pulls.is_loaded, false)) as is_fully_loaded,
        coalesce(bool_or(pulls.is_doubtful), false) as is_doubtful,
        coalesce(bool_or(pulls.is_partial), false) as is_partial,
        bool_and(coalesce(pulls.is_complete, false)) as is_complete,
        coalesce(bit_or(pulls.flag_bits), 0) as flag_bits,
        {{ worst_maturity("coalesce(pulls.maturity, 'provisional')") }} as maturity
    from periods
    inner join asked using (property_id)
    left join pulls using (property_id, date, report)
    group by all
)

select
    * replace (
        cast(days_loaded as integer) as days_loaded,
        days_loaded = window_days and is_complete as is_complete
    )
from flagged
