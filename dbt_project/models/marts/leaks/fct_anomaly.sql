with judged as (
    select
        dated.property_id,
        dated.date,
        cast(scored.window_days as integer) as window_days,
        dated.segment_name,
        dated.segment_value,
        dated.key,
        dated.parent_key,
        cast(scored.numerator as bigint) as numerator,
        cast(scored.denominator as bigint) as denominator,
        {{ rate('scored.numerator', 'scored.denominator') }} as observed,
        scored.expected_rate as expected,
        scored.relative_change,
        cast(floor(scored.weeks) as integer) as weeks,
        scored.p_value,
        scored.q_value,
        case
            when dated.source is not null and scored.alert_kind = 'behaviour' then 'source_moved'
            else cast(scored.alert_kind as varchar)
        end as alert_class,
        alert_class is not null as is_alert,
        dated.tracking_state,
        scored.is_declared > 0 as is_declared,
        dated.source,
        dated.other_source,
        -- The one that has less beside the other than before, and the other.
        if(observed < expected, dated.source, dated.other_source) as lacking_source,
        if(observed < expected, dated.other_source, dated.source) as full_source
    from {{ ref('int_anomalies__scored') }} as scored
    inner join {{ ref('int_anomalies__dated') }} as dated
        using (property_id, segment_name, segment_value, key, date)
    where
        dated.date >= dated.first_judged
        and (dated.other_property_id is null or not {{ is_blocked('dated', 'other_property_id') }})
),

-- One cause is news once: its first night, and on that the fewest days that show it. Seven days without end it.
told as (
    select
        *,
        if(window_days = 1, 'on', format('in the {} days to', window_days)) as days_in_words,
        is_alert
        and coalesce(window_days = min(window_days) filter (is_alert) over same_night, false)
        and max(date) filter (is_alert) over week_before is null as is_news
    from judged
    window
        same_night as (
            partition by property_id, segment_name, segment_value, key, alert_class, observed > expected, date
        ),
        week_before as (
            partition by property_id, segment_name, segment_value, key, alert_class, observed > expected order by date
            range between interval 7 days preceding and interval 1 day preceding
        )
),

causes as (
    select
        source as lacking_source,
        other_source as full_source,
        string_agg(likely_cause, '; ' order by position) as likely_causes
    from {{ ref('source_causes') }}
    group by source, other_source
),

explained as (
    select
        told.*,
        -- As a sentence names them.
        replace(upper(told.key[1]) || told.key[2:], '_', ' ') as key_words,
        replace(told.parent_key, '_', ' ') as parent_words,
        causes.likely_causes
    from told
    left join causes using (lacking_source, full_source)
)

select
    property_id,
    date,
    window_days,
    segment_name,
    segment_value,
    key || ' / ' || parent_key as metric,
    key,
    parent_key,
    numerator,
    denominator,
    observed,
    expected,
    relative_change,
    weeks,
    p_value,
    q_value,
    is_alert,
    is_news,
    alert_class,
    case alert_class
        when 'tracking_lost' then 1 when 'data_quality' then 2 when 'source_moved' then 2 when 'behaviour' then 3
    end as alert_order,
    case alert_class
        when 'tracking_lost'
            then format('{}: no event any more on {}: do it once in the shop; if that works, its tag is gone.', key_words, date)
        when 'data_quality' then format('{} per {} on {} rests on incomplete data.', key_words, parent_words, date)
        when 'source_moved'
            then concat_ws(
                ' Likely ', format(
                    '{} by {} and {} {} {}: {} has {:.1f} % of the larger count instead of about {:.1f} %.', key_words,
                    source, other_source, days_in_words, date, source, 100 * observed, 100 * expected
                ), likely_causes || '.'
            )
        when 'behaviour'
            then format(
                '{} per {} {} {}: {:.1f} % instead of about {:.1f} % on {}{}.', key_words, parent_words, days_in_words,
                date, 100 * observed, 100 * expected,
                if(window_days = 1, 'this weekday', 'these weekdays'),
                if(segment_name = 'all', '', ' (' || segment_value || ')')
            )
    end as message,
    tracking_state,
    is_declared
from explained
