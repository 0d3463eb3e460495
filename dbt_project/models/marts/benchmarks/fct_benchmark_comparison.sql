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
    cast(benchmark_low as double) as benchmark_low,
    cast(benchmark_high as double) as benchmark_high,
    status,
    cast(p_value as double) as p_value,
    cast(q_value as double) as q_value,
    cast(weeks_to_know as double) as weeks_to_know,
    cast(p_below as double) as p_below,
    cast(posterior_mean as double) as posterior_mean,
    cast(shrunk_rate as double) as shrunk_rate,
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
