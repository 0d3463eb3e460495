with seen as (
    select
        property_id,
        key,
        min(first_seen_date) as first_seen_date
    from {{ ref('int_funnel__tracking_assessed') }}
    group by property_id, key
),

grouped as (
    select
        periods.* exclude (date),
        tracking.key,
        count(*) as days_loaded,
        count(*) filter (where tracking.tag_state = 'tracked') as days_tracked,
        sum(tracking.events) as events,
        sum(tracking.sessions) as sessions,
        -- Events whose sessions may not be seen are not without.
        sum(tracking.events) filter (where tracking.sessions is not null) as told_events,
        sum(tracking.transactions) as transactions,
        bool_or({{ is_sessionless('tracking.events', 'tracking.sessions', 'tracking.transactions') }}) as is_ever_sessionless,
        bool_or(tracking.is_doubtful) as is_doubtful,
        bool_or(tracking.is_partial) as is_partial,
        sum(tracking.exposed) as exposed,
        sum(tracking.visits) as visits,
        coalesce(sum(tracking.exposed) filter (where tracking.tag_state = 'tracking_lost'), 0) as exposed_lost,
        coalesce(sum(tracking.visits) filter (where tracking.tag_state = 'tracking_lost'), 0) as visits_lost,
        arg_max(tracking.tag_state, tracking.date) as last_state,
        sum(tracking.exposed) filter (where tracking.date < seen.first_seen_date) as exposed_before,
        sum(tracking.exposed) filter (where tracking.date >= seen.first_seen_date) as exposed_since,
        sum(tracking.sessions) filter (where tracking.date >= seen.first_seen_date) as sessions_since
    from {{ ref('int_funnel__periods_listed') }} as periods
    inner join {{ ref('int_funnel__tracking_assessed') }} as tracking using (property_id, date)
    inner join seen using (property_id, key)
    group by all
),

-- Days without the event before it came back are lost only if the rate of the other days of the period makes them all but
-- impossible too: a rate that fell and stayed low has days without by chance.
-- A period counts as tracked only if the tag was there on all of its days: zeros of a day without it would pull the rate
-- down, and so would days whose orders came without a session. Zeros before the first event count as real unless the
-- key's own rate since then makes them all but impossible.
stated as (
    select
        *,
        case
            when last_state not in ('tracked', 'sessionless') then last_state
            when
                {{ silence_probability(
                    'sessions', '(exposed - exposed_lost)', '(visits - visits_lost)', 'exposed_lost', 'visits_lost'
                ) }} < {{ var('lost_below') }}
                then 'tracking_lost'
            when is_ever_sessionless then 'sessionless'
            -- Fewer events than can tell are as the 28 days up to the end of the period.
            when window_name = '1d' then last_state
            when last_state = 'sessionless' and events < {{ var('least_sessionless_events') }} then 'sessionless'
            when {{ is_sessionless_window('told_events', 'sessions', 'transactions') }} then 'sessionless'
            when {{ zero_run_probability('sessions_since', 'exposed_since', 'exposed_before') }} < {{ var('lost_below') }}
                then 'not_tracked'
            else 'tracked'
        end as tag_state
    from grouped
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
    {{ cast_to('integer', 'days_loaded', 'days_tracked') }},
    tag_state,
    {{ with_withheld('tag_state', 'is_doubtful', 'is_partial', 'events') }} as tracking_state
from stated
