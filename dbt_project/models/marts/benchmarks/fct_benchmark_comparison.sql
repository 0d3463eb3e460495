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
),

-- The ladder of ANALYTICS section 4: the first rung that holds.
judged as (
    select
        *,
        case
            when tracking_state <> 'tracked' then tracking_state
            when numerator > denominator then 'anomaly'
            when denominator < {{ least_trials }} or (ci_low <= benchmark_low and ci_high >= benchmark_high) then 'insufficient_data'
            when ci_high < benchmark_low and (segment_name = 'all' or q_value <= {{ false_discovery_rate }}) then 'below'
            when ci_low > benchmark_high then 'above'
            when ci_low >= benchmark_low and ci_high <= benchmark_high then 'within'
            when rate < benchmark_low then 'leaning_below'
            when rate > benchmark_high then 'leaning_above'
            else 'likely_within'
        end as status
    from scored
)

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
    segment_name,
    segment_value,
    benchmark_key,
    numerator_key,
    denominator_key,
    unit,
    'open' as funnel_type,
    numerator,
    denominator,
    rate,
    ci_low,
    ci_high,
    cast(benchmark_low as double) as benchmark_low,
    cast(benchmark_high as double) as benchmark_high,
    status,
    cast(p_value as double) as p_value,
    cast(q_value as double) as q_value,
    -- Decided once the verdict is `below` or the interval has left the floor behind.
    case when status <> 'below' and ci_low < benchmark_low then cast(weeks_to_know as double) end as weeks_to_know,
    cast(p_below as double) as p_below,
    cast(posterior_mean as double) as posterior_mean,
    cast(shrunk_rate as double) as shrunk_rate,
    case
        when p_below >= 0.95 then 'strong'
        when p_below >= 0.80 then 'moderate'
        when p_below >= 0.60 then 'weak'
        when p_below is not null then 'none'
    end as directional_evidence,
    case when tracking_state = 'tracked' then greatest(0, benchmark_low * denominator - numerator) end as shortfall,
    tracking_state,
    source,
    source_date,
    source_kind,
    is_default,
    benchmark_industry,
    benchmark_device,
    benchmark_region,
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from judged
