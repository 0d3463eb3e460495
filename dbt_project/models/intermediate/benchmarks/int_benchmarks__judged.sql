with scored as (
    select
        compared.*,
        scores.* exclude (property_id, window_name, segment_name, segment_value, benchmark_key)
    from {{ ref('int_benchmarks__compared') }} as compared
    inner join {{ ref('int_benchmarks__scored') }} as scores
        using (property_id, window_name, segment_name, segment_value, benchmark_key)
)

-- The ladder of docs/analytics.md, "Verdicts": the first rung that holds.
select
    *,
    case
        when tracking_state <> 'tracked' then tracking_state
        when {{ is_beyond('numerator', 'denominator') }} then 'anomaly'
        when denominator < {{ var('least_trials') }} or (ci_low <= benchmark_low and ci_high >= benchmark_high) then 'insufficient_data'
        when ci_high < benchmark_low and (segment_name = 'all' or q_value <= {{ var('false_discovery_rate') }}) then 'below'
        when ci_low > benchmark_high then 'above'
        when ci_low >= benchmark_low and ci_high <= benchmark_high then 'within'
        -- One P for how sure: a rate below the floor of which the evidence has no direction tells nothing.
        when rate < benchmark_low and p_below >= {{ var('weak_evidence') }} then 'leaning_below'
        when rate < benchmark_low then 'insufficient_data'
        when rate > benchmark_high then 'leaning_above'
        else 'likely_within'
    end as status,
    case
        when p_below >= {{ var('strong_evidence') }} then 'strong'
        when p_below >= {{ var('moderate_evidence') }} then 'moderate'
        when p_below >= {{ var('weak_evidence') }} then 'weak'
        when p_below is not null then 'none'
    end as directional_evidence,
    -- Decided once the verdict is `below` or the interval has left the floor behind.
    case when status <> 'below' and ci_low < benchmark_low then weeks_needed end as weeks_to_know
from scored
