with dates as (
    select distinct
        property_id,
        date
    from {{ ref('int_funnel__reports_assessed') }}
    where is_date_loaded
),

latest as (
    select
        property_id,
        max(date) as last_date
    from dates
    group by property_id
),

-- Every loaded day is a period of its own; each window ends on the last loaded date and has the one before it.
periods as (
    select
        property_id,
        '1d' as window_name,
        1 as window_days,
        date as window_end,
        date as current_end
    from dates
    union all
    select
        latest.property_id,
        windows.window_name,
        windows.window_days,
        latest.last_date - windows.window_days * ages.age as window_end,
        latest.last_date as current_end
    from latest
    cross join (values ('7d', 7), ('28d', 28)) as windows (window_name, window_days)
    cross join (values (0), (1)) as ages (age)
)

select
    periods.property_id,
    periods.window_name,
    periods.window_days,
    periods.window_end - periods.window_days + 1 as window_start,
    periods.window_end,
    periods.current_end,
    periods.window_end = periods.current_end as is_current,
    dates.date
from periods
inner join dates
    on
        periods.property_id = dates.property_id
        and dates.date between periods.window_end - periods.window_days + 1 and periods.window_end
