{%- set compared = [
    'exposed', 'numerator', 'denominator', 'rate', 'ci_low', 'ci_high', 'control_exposed', 'control_numerator',
    'control_denominator', 'control_rate', 'difference', 'difference_ci_low', 'difference_ci_high', 'method', 'p_value', 'p_holm',
    'probability_better', 'expected_loss', 'sequential_p_value', 'sequential_ci_low', 'sequential_ci_high', 'macro_converted',
    'control_macro_converted', 'macro_difference', 'macro_ci_low', 'macro_ci_high', 'sample_ratio_p_value',
    'sample_ratio_e_value', 'smallest_effect', 'units_planned', 'verdict', 'reason', 'weeks_left', 'experiment_verdict'
] -%}

with comparisons as (
    select
        property_id,
        unnest(comparisons) as compared
    from {{ ref('int_experiments__scored') }}
),

edits as (
    select
        property_id,
        change_id,
        string_agg(
            field || ' was ' || coalesce(old, 'empty') || ', is ' || coalesce(new, 'empty') || ' (noticed ' || noticed_on || ')',
            '; ' order by noticed_on, field
        ) as edits
    from {{ ref('stg_register__edits') }}
    group by property_id, change_id
)

select
    comparisons.property_id,
    experiments.change_id as experiment_id,
    comparisons.compared['variant'] as variant,
    comparisons.compared['control'] as control,
    experiments.description as hypothesis,
    experiments.stage,
    experiments.key,
    experiments.page,
    experiments.device,
    experiments.state,
    experiments.start_date,
    experiments.end_date,
    comparisons.compared['first_date'] as first_date,
    comparisons.compared['last_date'] as last_date,
    experiments.primary_metric,
    experiments.guardrail,
    experiments.users_left_out,
    coalesce(experiments.naive_variance, false) as naive_variance,
    experiments.note,
    {%- for column in compared %}
    comparisons.compared['{{ column }}'] as {{ column }},
    {%- endfor %}
    comparisons.compared['experiment_reason'] as experiment_reason,
    edits.edits
from comparisons
inner join {{ ref('stg_register__changes') }} as experiments
    on
        comparisons.property_id = experiments.property_id
        and comparisons.compared['change_id'] = experiments.change_id
left join edits on experiments.property_id = edits.property_id and experiments.change_id = edits.change_id
