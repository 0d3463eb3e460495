-- Beside each page the whole project, which is a row of its own: sessions of pages overlap and add up to nothing.
with signs as (
    select
        pages.*,
        project.sessions as all_sessions,
        project.sessions_with_signal as all_sessions_with_signal
    from {{ ref('stg_clarity__pages') }} as pages
    left join {{ ref('stg_clarity__pages') }} as project
        on
            pages.property_id = project.property_id
            and pages.window_end = project.window_end
            and pages.signal = project.signal
            and pages.page_path <> '(all)'
            and project.page_path = '(all)'
    where pages.signal <> 'traffic'
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

-- One more session with the sign is counted to the project, so that its share is never 0.
compared as (
    select
        *,
        {{ rate('sessions_with_signal', 'sessions') }} as share,
        {{ rate('all_sessions_with_signal + 1.0', 'all_sessions + 1.0') }} as expected,
        -- How many rows of the snapshot are compared.
        count(all_sessions) over (partition by property_id, window_end) as rows_compared
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
    signs.all_sessions,
    signs.all_sessions_with_signal,
    {{ rate('signs.all_sessions_with_signal', 'signs.all_sessions') }} as all_share,
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
