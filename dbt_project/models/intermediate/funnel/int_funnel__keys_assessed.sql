with grouped as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_days,
        periods.window_start,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        tracking.key,
        count(*) as days_loaded,
        count(*) filter (where tracking.tag_state = 'tracked') as days_tracked,
        sum(tracking.events) as events,
        bool_or(tracking.is_doubtful) as is_doubtful,
        bool_or(tracking.is_partial) as is_partial,
        arg_max(tracking.tag_state, tracking.date) as tag_state
    from {{ ref('int_funnel__periods_listed') }} as periods
    inner join {{ ref('int_funnel__tracking_assessed') }} as tracking
        on periods.property_id = tracking.property_id and periods.date = tracking.date
    group by
        periods.property_id,
        periods.window_name,
        periods.window_days,
        periods.window_start,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        tracking.key
)

select
    property_id,
    window_name,
    window_days,
    window_start,
    window_end,
    current_end,
    is_current,
    key,
    cast(days_loaded as integer) as days_loaded,
    cast(days_tracked as integer) as days_tracked,
    {{ with_withheld('tag_state', 'is_doubtful', 'is_partial', 'events') }} as tracking_state
from grouped
