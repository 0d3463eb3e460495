{% set least_trials = 30 %}
{% set false_discovery_rate = 0.10 %}

with scored as (
    select
        compared.*,
        scores.p_value,
        scores.q_value,
        scores.p_below,
        scores.posterior_mean,
        scores.weeks_to_know,
        scores.shrunk_rate
    from {{ ref('int_benchmarks__compared') }} as compared
    inner join {{ ref('int_benchmarks__scored') }} as scores
        on
            compared.property_id = scores.property_id
            and compared.window_name = scores.window_name
            and compared.segment_name = scores.segment_name
            and compared.segment_value = scores.segment_value
            and compared.benchmark_key = scores.benchmark_key
)

-- The ladder of docs/analytics.md, "Verdicts": the first rung that holds.
select
    *,
    case
        when tracking_state <> 'tracked' then tracking_state
        when {{ is_beyond('numerator', 'denominator') }} then 'anomaly'
        when denominator < {{ least_trials }} or (ci_low <= benchmark_low and ci_high >= benchmark_high) then 'insufficient_data'
        when ci_high < benchmark_low and (segment_name = 'all' or q_value <= {{ false_discovery_rate }}) then 'below'
        when ci_low > benchmark_high then 'above'
        when ci_low >= benchmark_low and ci_high <= benchmark_high then 'within'
        when rate < benchmark_low then 'leaning_below'
        when rate > benchmark_high then 'leaning_above'
        else 'likely_within'
    end as status,
    case
        when p_below >= 0.95 then 'strong'
        when p_below >= 0.80 then 'moderate'
        when p_below >= 0.60 then 'weak'
        when p_below is not null then 'none'
    end as directional_evidence
from scored
