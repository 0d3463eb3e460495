with told as (
    select distinct
        property_id,
        window_name,
        segment_name,
        segment_value,
        benchmark_key,
        figures
    from {{ ref('int_figures__nearest') }}
),

compared as (
    select
        judged.*,
        told.figures
    from {{ ref('int_benchmarks__judged') }} as judged
    left join told using (property_id, window_name, segment_name, segment_value, benchmark_key)
    union all by name
    select *
    from {{ ref('int_benchmarks__best_compared') }}
)

select
    {{ window_columns() }},
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
    phi,
    n_eff,
    {{ cast_to('double', 'benchmark_low', 'benchmark_high') }},
    status,
    {{ cast_to('double', 'p_value', 'q_value', 'weeks_to_know', 'p_below', 'posterior_mean', 'shrunk_rate') }},
    directional_evidence,
    case
        when tracking_state = 'tracked' and source_kind <> 'own_history' then greatest(0, benchmark_low * denominator - numerator)
    end as shortfall,
    tracking_state,
    source,
    publisher,
    sample,
    period,
    link,
    source_date,
    source_kind,
    source_text,
    figures,
    is_default,
    benchmark_industry,
    benchmark_device,
    benchmark_region,
    {{ quality_columns() }}
from compared
