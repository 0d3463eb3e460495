-- The whole project is a row of its own (page_path '(all)'), and no part of what the other pages have together.
with signs as (
    select
        *,
        page_path = '(all)' as is_whole,
        case when not is_whole then sum(sessions) over others end - sessions as other_sessions,
        case when not is_whole then sum(sessions_with_signal) over others end - sessions_with_signal as other_sessions_with_signal
    from {{ ref('stg_clarity__pages') }}
    where signal <> 'traffic'
    window others as (partition by property_id, window_end, signal, page_path = '(all)')
),

traffic as (
    select
        property_id,
        window_end,
        page_path,
        device,
        bot_sessions,
        scroll_depth
    from {{ ref('stg_clarity__pages') }}
    where signal = 'traffic'
),

snapshots as (
    select
        property_id,
        window_end,
        coalesce(lag(window_end) over property > min(window_start), false) as overlaps_before,
        case
            when lag(window_end) over property is not null
                then greatest(date_diff('hour', lag(window_end) over property, min(window_start)), 0)
        end as hours_lost_before,
        window_end = max(window_end) over (partition by property_id) as is_newest
    from {{ ref('stg_clarity__pages') }}
    group by property_id, window_end
    window property as (partition by property_id order by window_end)
),

-- Of the share elsewhere, one more session with the sign counted to it, so that it is never 0.
compared as (
    select
        *,
        {{ rate('sessions_with_signal', 'sessions') }} as share,
        {{ rate('other_sessions_with_signal + 1.0', 'other_sessions + 1.0') }} as expected,
        -- How many rows of the snapshot are compared.
        count(other_sessions) over (partition by property_id, window_end) as rows_compared
    from signs
)

select
    property_id,
    signs.window_start,
    window_end,
    signs.window_hours,
    snapshots.is_newest,
    snapshots.overlaps_before,
    cast(snapshots.hours_lost_before as integer) as hours_lost_before,
    page_path,
    device,
    signs.signal,
    signs.sessions,
    signs.sessions_with_signal,
    {{ rate_with_interval(
        'signal_share', 'true', 'signs.sessions_with_signal', 'signs.sessions', unit='events'
    ) }},
    signs.occurrences,
    try_cast(signs.other_sessions as bigint) as other_sessions,
    try_cast(signs.other_sessions_with_signal as bigint) as other_sessions_with_signal,
    {{ rate('signs.other_sessions_with_signal', 'signs.other_sessions') }} as other_share,
    -- exp(-n KL(share, expected)) bounds the binomial tail (Chernoff 1952), times the number of rows (Bonferroni).
    case
        when signs.sessions > 0 and signs.share <= signs.expected then 1.0
        when signs.sessions > 0 and signs.share <= 1 and signs.expected > 0
            then least(1.0, signs.rows_compared * exp(-signs.sessions * (
                signs.share * ln(signs.share / signs.expected)
                + case when signs.share < 1 then (1 - signs.share) * ln((1 - signs.share) / (1 - signs.expected)) else 0 end
            )))
    end as p_bound,
    coalesce(p_bound <= 0.05, false) as is_clear,
    traffic.bot_sessions,
    traffic.scroll_depth,
    signs.is_complete
from compared as signs
inner join snapshots using (property_id, window_end)
left join traffic using (property_id, window_end, page_path, device)
