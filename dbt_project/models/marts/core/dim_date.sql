with bounds as (
    select
        min(date) as first_date,
        max(date) as last_date
    from {{ ref('int_pulls__latest') }}
),

dates as (
    select cast(unnest(generate_series(first_date, last_date, interval 1 day)) as date) as date
    from bounds
)

select
    date,
    cast(year(date) as integer) as year,
    cast(month(date) as integer) as month,
    cast(isoyear(date) as integer) as iso_year,
    cast(weekofyear(date) as integer) as iso_week,
    cast(isodow(date) as integer) as iso_weekday,
    dayname(date) as weekday_name,
    cast(date_trunc('week', date) as date) as week_start,
    cast(date_trunc('month', date) as date) as month_start,
    isodow(date) >= 6 as is_weekend
from dates
