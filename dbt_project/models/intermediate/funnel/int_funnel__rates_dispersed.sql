with days as (
    select
        listed.property_id,
        listed.window_name,
        listed.window_end,
        upper_row.segment_name,
        upper_row.segment_value,
        listed.numerator_key,
        listed.denominator_key,
        upper_row.sessions as numerator,
        lower_row.sessions as denominator
    from {{ ref('int_funnel__rates_listed') }} as listed
    inner join {{ ref('int_funnel__periods_listed') }} as periods using (property_id, window_name, window_end)
    inner join {{ ref('int_funnel__days_filled') }} as upper_row
        on
            listed.property_id = upper_row.property_id
            and periods.date = upper_row.date
            and listed.numerator_key = upper_row.key
    inner join {{ ref('int_funnel__days_filled') }} as lower_row
        on
            upper_row.property_id = lower_row.property_id
            and upper_row.date = lower_row.date
            and upper_row.segment_name = lower_row.segment_name
            and upper_row.segment_value = lower_row.segment_value
            and listed.denominator_key = lower_row.key
),

-- A day without its number, without trials, or beyond 0 or 100 % tells nothing of the variation between days.
dispersed as (
    select
        property_id,
        window_name,
        window_end,
        segment_name,
        segment_value,
        numerator_key,
        denominator_key,
        count(*) as day_count,
        {{ overdispersion('numerator', 'denominator') }} as phi
    from days
    where denominator > 0 and not {{ is_beyond('numerator', 'denominator') }}
    group by all
)

select
    *,
    case when phi > 1 then {{ widened_dispersion('phi', 'day_count') }} else 1 end as phi_wide
from dispersed
