with dates as (
    select distinct
        property_id,
        date
    from {{ ref('int_funnel__reports_assessed') }}
    where is_date_loaded
),

-- The first day after each current window. Trailing windows end on the last loaded date, ISO weeks (Monday to Sunday) and
-- calendar months with the newest one that is over on it.
latest as (
    select
        property_id,
        max(date) + 1 as next_date
    from dates
    group by property_id
),

windows as (
    select
        latest.property_id,
        lengths.window_name,
        lengths.window_length,
        case lengths.window_name
            when 'week' then cast(date_trunc('week', latest.next_date) as date)
            when 'month' then cast(date_trunc('month', latest.next_date) as date)
            else latest.next_date
        end as next_start
    from latest
    cross join (
        values ('7d', interval 7 days), ('28d', interval 28 days), ('week', interval 7 days), ('month', interval 1 month)
    ) as lengths (window_name, window_length)
),

-- Every loaded day is a period of its own; each window has the one before it.
periods as (
    select
        property_id,
        '1d' as window_name,
        date as window_start,
        date as window_end,
        date as current_end
    from dates
    union all
    select
        windows.property_id,
        windows.window_name,
        cast(windows.next_start - windows.window_length * (ages.age + 1) as date) as window_start,
        cast(windows.next_start - windows.window_length * ages.age as date) - 1 as window_end,
        windows.next_start - 1 as current_end
    from windows
    cross join (values (0), (1)) as ages (age)
)

select
    periods.property_id,
    periods.window_name,
    cast(periods.window_end - periods.window_start + 1 as integer) as window_days,
    periods.window_start,
    periods.window_end,
    periods.current_end,
    periods.window_end = periods.current_end as is_current,
    dates.date
from periods
inner join dates on periods.property_id = dates.property_id and dates.date between periods.window_start and periods.window_end
