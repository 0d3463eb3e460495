with judged as (
    select
        dated.property_id,
        dated.date,
        dated.segment_name,
        dated.segment_value,
        dated.key,
        dated.parent_key,
        dated.numerator,
        dated.denominator,
        dated.tracking_state,
        dated.is_declared,
        {{ rate('dated.numerator', 'dated.denominator') }} as observed,
        scored.expected_rate as expected,
        scored.relative_change,
        cast(scored.weeks as integer) as weeks,
        scored.p_value,
        scored.q_value,
        cast(scored.alert_kind as varchar) as alert_class
    from {{ ref('int_anomalies__dated') }} as dated
    inner join {{ ref('int_anomalies__scored') }} as scored
        using (property_id, segment_name, segment_value, key, date)
    where dated.date >= dated.first_judged
)

select
    property_id,
    date,
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
    alert_class is not null as is_alert,
    alert_class,
    case alert_class when 'tracking_lost' then 1 when 'data_quality' then 2 when 'behaviour' then 3 end as alert_order,
    case alert_class
        when 'tracking_lost' then format('{}: no event any more on {}; check its tag.', key, date)
        when 'data_quality' then format('{} per {} on {} rests on incomplete data.', key, parent_key, date)
        when 'behaviour'
            then format(
                '{} per {} on {}: {:.1f} % instead of about {:.1f} % on this weekday{}.', key, parent_key, date,
                100 * observed, 100 * expected, case when segment_name = 'all' then '' else ' (' || segment_value || ')' end
            )
    end as message,
    tracking_state,
    is_declared
from judged
