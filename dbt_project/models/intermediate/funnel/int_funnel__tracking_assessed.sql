with reach as (
    select *
    from {{ ref('int_funnel__reach_daily') }}
    where segment_name = 'all'
),

-- `exposed` and `visits` are the sessions that could have had the event and that a complete report would have shown.
series as (
    select
        days.property_id,
        days.date,
        plan.key,
        plan.floor_rate,
        plan.is_not_applicable or (days.route = 'shopify' and not {{ is_told_by_shopify('plan.key') }}) as is_not_applicable,
        days.is_doubtful or coalesce(left_out.is_counted_otherwise, false) as is_doubtful,
        left_out.name is not null as is_left_out,
        days.is_partial,
        case when own.key is null then 0 else own.sessions end as sessions,
        coalesce(own.events, own.sessions, 0) as events,
        -- Of rows that tell sessions too: orders whose row of events is missing are no evidence.
        case when own.sessions is not null then own.transactions end as transactions,
        (days.is_complete and left_out.is_counted_otherwise is not true) or own.sessions is not null as is_shown,
        case when is_shown then coalesce(parent.sessions, 0) else 0 end as exposed,
        case when is_shown then coalesce(site.sessions, 0) else 0 end as visits
    from {{ ref('int_funnel__reports_assessed') }} as days
    inner join {{ ref('int_plan__resolved') }} as plan on days.is_composite = plan.is_composite
    left join reach as own on days.property_id = own.property_id and days.date = own.date and plan.key = own.key
    left join reach as parent
        on days.property_id = parent.property_id and days.date = parent.date and plan.exposure_key = parent.key
    left join reach as site on days.property_id = site.property_id and days.date = site.date and site.key = 'sessions'
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('days', "'micro_by_all'", 'plan.key', by_day=true) }}
    where days.segment_name = 'all' and days.is_date_loaded
),

summed as (
    select
        *,
        sum(events) over last_28_days as events_28d,
        sum(sessions) over last_28_days as sessions_28d,
        sum(transactions) over last_28_days as transactions_28d,
        sum(case when sessions is not null then events end) over last_28_days as told_events_28d,
        sum(exposed) over last_28_days as exposed_28d,
        sum(visits) over last_28_days as visits_28d,
        sum(exposed) over so_far as exposed_ever,
        sum(visits) over so_far as visits_ever,
        min(case when events > 0 then date end) over so_far as first_seen_date,
        max(case when events > 0 then date end) over so_far as last_seen_date
    from series
    window
        so_far as (partition by property_id, key order by date rows unbounded preceding),
        last_28_days as (partition by property_id, key order by date range between interval 27 days preceding and current row)
),

-- The run of zeros since the event was last seen, against the 28 days up to then.
runs as (
    select
        now.*,
        {{ silence_probability(
            'seen.sessions_28d', 'seen.exposed_28d', 'seen.visits_28d',
            '(now.exposed_ever - seen.exposed_ever)', '(now.visits_ever - seen.visits_ever)'
        ) }} as p_silence
    from summed as now
    left join summed as seen
        on now.property_id = seen.property_id and now.key = seen.key and now.last_seen_date = seen.date
)

select
    property_id,
    date,
    key,
    {{ cast_to('bigint', 'sessions', 'events') }},
    transactions,
    {{ cast_to('bigint', 'exposed', 'visits') }},
    -- A key that was tracked until it could not be asked for; of one that never was, the tag tells.
    is_doubtful or (is_left_out and events_28d > 0) as is_doubtful,
    is_partial,
    {{ cast_to('bigint', 'events_28d', 'sessions_28d', 'transactions_28d', 'exposed_28d') }},
    first_seen_date,
    last_seen_date,
    case
        when is_not_applicable then 'not_applicable'
        when events = 0 and p_silence < {{ var('lost_below') }} then 'tracking_lost'
        -- A day of too few events to tell is as the 28 days up to it.
        when
            case
                when events >= {{ var('least_sessionless_events') }} then {{ is_sessionless('events', 'sessions', 'transactions') }}
                else {{ is_sessionless_window('told_events_28d', 'sessions_28d', 'transactions_28d') }}
            end
            then 'sessionless'
        when events_28d > 0 then 'tracked'
        when exposed_28d >= {{ sessions_to_tell('floor_rate') }} then 'not_tracked'
        else 'unknown_low_volume'
    end as tag_state
from runs
