with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
),

sums as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        reach.segment_name,
        reach.segment_value,
        reach.key,
        cast(sum(reach.sessions) as bigint) as sessions,
        cast(sum(reach.events) as bigint) as events,
        sum(reach.revenue) as revenue
    from periods
    inner join {{ ref('int_funnel__reach_daily') }} as reach
        on periods.property_id = reach.property_id and periods.date = reach.date
    group by all
),

reports as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        flags.segment_name,
        flags.is_composite,
        bool_and(flags.is_complete) as is_fully_reported,
        bool_and(flags.is_loaded) as is_fully_loaded,
        bool_and(flags.is_complete) and count(*) = any_value(periods.window_days) as is_complete,
        {{ worst_maturity('flags.maturity') }} as maturity
    from periods
    inner join {{ ref('int_funnel__reports_assessed') }} as flags
        on periods.property_id = flags.property_id and periods.date = flags.date
    group by all
),

-- The segment values that had sessions in the current window (the window before is read for the same ones).
cells as (
    select
        property_id,
        window_name,
        current_end,
        segment_name,
        segment_value
    from sums
    where is_current
    union
    select
        property_id,
        window_name,
        current_end,
        'all' as segment_name,
        'all' as segment_value
    from periods
),

-- A missing row is a real zero only where the key is tracked and every report of the period was complete.
dense as (
    select
        keys.*,
        cells.segment_name,
        cells.segment_value,
        case when keys.tracking_state = 'tracked' and reports.is_fully_reported then 0 end as unreported,
        -- Days of a report that was never loaded are missing from the sum: no number, rather than one that is too low.
        case when reports.is_fully_loaded then sums.sessions end as sessions,
        case when reports.is_fully_loaded then sums.events end as events,
        case when reports.is_fully_loaded then sums.revenue end as revenue,
        reports.is_complete,
        reports.maturity
    from {{ ref('int_funnel__keys_assessed') }} as keys
    inner join {{ ref('int_plan__resolved') }} as plan using (key)
    inner join cells using (property_id, window_name, current_end)
    inner join reports using (property_id, window_name, window_end, segment_name, is_composite)
    left join sums using (property_id, window_name, window_end, segment_name, segment_value, key)
)

select
    * exclude (unreported) replace (
        coalesce(sessions, unreported) as sessions,
        case when key <> 'sessions' then coalesce(events, unreported) end as events,
        case
            when tracking_state = 'tracked' and sessions is null and unreported is null then 'withheld' else tracking_state
        end as tracking_state
    )
from dense
