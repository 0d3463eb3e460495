-- Each source's share of the larger count was judged by itself, over one, three and seven days (int_anomalies__dated).
with judged as (
    select
        paired.*,
        any_value(scored.expected_rate) filter (scored.window_days = 1 and dated.source = paired.source_a) as usual_share_a,
        any_value(scored.expected_rate) filter (scored.window_days = 1 and dated.source = paired.source_b) as usual_share_b,
        min(scored.weeks) filter (scored.window_days = 1) as weeks,
        min(scored.q_value) as q_value,
        cast(min(scored.window_days) filter (scored.alert_kind is not null) as integer) as moved_days
    from {{ ref('int_sources__paired') }} as paired
    left join {{ ref('int_anomalies__dated') }} as dated
        on
            paired.property_id = dated.property_id
            and paired.date = dated.date
            and paired.step_key = dated.key
            and dated.source in (paired.source_a, paired.source_b)
            and dated.other_source in (paired.source_a, paired.source_b)
    left join {{ ref('int_anomalies__scored') }} as scored
        on
            dated.property_id = scored.property_id
            and dated.segment_name = scored.segment_name
            and dated.segment_value = scored.segment_value
            and dated.key = scored.key
            and dated.date = scored.date
    where paired.date >= paired.first_judged and not {{ is_blocked('paired', 'other_property_id') }}
    group by all
)

select
    property_id,
    date,
    step_number,
    step_key,
    source_a,
    source_b,
    value_a,
    value_b,
    {{ rate('value_b', 'value_a') }} as ratio,
    case when weeks >= {{ var('anomaly_least_weeks') }} then {{ rate('usual_share_b', 'usual_share_a') }} end as usual_ratio,
    q_value,
    moved_days,
    case
        when value_b is null then 'only_in_source_a'
        when value_a is null then 'only_in_source_b'
        when not is_comparable then 'series_break'
        when moved_days is not null then 'moved'
        when usual_ratio is null then 'learning'
        when q_value is null then 'too_few'
        else 'usual'
    end as status
from judged
