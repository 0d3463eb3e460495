with steps as (
    select *
    from {{ ref('int_funnel__steps_chained') }}
    where window_name <> '1d'
),

reach as (
    select * from {{ ref('int_funnel__reach_summed') }}
),

{{ rated_steps(period=['window_name', 'window_end']) }},

{{ compared_windows(
    cell=['funnel', 'segment_name', 'segment_value', 'step_key'], columns=['reached', 'step_rate'],
    rate='step_rate', denominator='previous_step_key'
) }},

-- The range of the same two counts, where there is one.
benchmarks as (
    select
        property_id,
        window_name,
        segment_name,
        segment_value,
        numerator_key as step_key,
        denominator_key as previous_step_key,
        benchmark_key,
        {{ cast_to('double', 'benchmark_low', 'benchmark_high') }},
        status as benchmark_status,
        source_text as benchmark_source,
        directional_evidence,
        cast(weeks_to_know as double) as weeks_to_know
    from {{ ref('int_benchmarks__judged') }}
    where is_leading
),

judged as (
    select
        compared.*,
        benchmarks.* exclude (property_id, window_name, segment_name, segment_value, step_key, previous_step_key)
    from compared
    left join benchmarks using (property_id, window_name, segment_name, segment_value, step_key, previous_step_key)
)

select
    {{ window_columns() }},
    {{ step_columns() }},
    phi,
    n_eff,
    benchmark_key,
    benchmark_low,
    benchmark_high,
    benchmark_status,
    benchmark_source,
    directional_evidence,
    weeks_to_know,
    prior_reached,
    prior_step_rate,
    {{ change_columns('step_rate') }}
from judged
