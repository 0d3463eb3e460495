with rates as (
    select *
    from {{ ref('int_funnel__keys_rated') }}
    where is_current and key in ('review_scroll', 'add_to_cart')
),

-- Both are rates of the same product views. Newcombe's interval takes them for independent; readers add more often, so
-- the true interval is narrower than the one shown.
paired as (
    select
        review.* exclude (is_complete, maturity, flag_bits),
        adds.sessions as add_sessions,
        adds.micro_rate as add_rate,
        adds.ci_low as add_ci_low,
        adds.ci_high as add_ci_high,
        {{ rate_state('review.tracking_state', 'adds.tracking_state') }} as both_states,
        case when review.status = 'measured' then adds.status else review.status end as gap_status,
        review.is_complete and adds.is_complete as is_complete,
        {{ worse_maturity('review.maturity', 'adds.maturity') }} as maturity,
        review.flag_bits | adds.flag_bits as flag_bits
    from rates as review
    inner join rates as adds using (property_id, window_name, segment_name, segment_value)
    where review.key = 'review_scroll' and adds.key = 'add_to_cart'
)

select
    paired.property_id,
    paired.window_name,
    paired.window_start,
    paired.window_end,
    paired.segment_name,
    paired.segment_value,
    'sessions' as unit,
    paired.parent_key,
    paired.parent_sessions,
    paired.sessions as review_sessions,
    paired.micro_rate as review_rate,
    paired.ci_low as review_ci_low,
    paired.ci_high as review_ci_high,
    paired.add_sessions,
    paired.add_rate,
    paired.add_ci_low,
    paired.add_ci_high,
    paired.micro_rate - paired.add_rate as review_gap,
    {{ newcombe_low('paired.micro_rate', 'paired.ci_low', 'paired.add_rate', 'paired.add_ci_high') }} as gap_ci_low,
    {{ newcombe_high('paired.micro_rate', 'paired.ci_high', 'paired.add_rate', 'paired.add_ci_low') }} as gap_ci_high,
    lifts.did_rate as p_add_given_review,
    lifts.did_ci_low as p_add_given_review_ci_low,
    lifts.did_ci_high as p_add_given_review_ci_high,
    lifts.other_rate as p_add_without_review,
    lifts.did_users as review_users,
    paired.gap_status as status,
    paired.both_states as tracking_state,
    paired.is_complete,
    paired.maturity,
    {{ flag_names('paired.flag_bits') }} as flags
from paired
left join {{ ref('fct_engagement_lift') }} as lifts using (property_id, window_name, window_end, segment_name, segment_value, key)
