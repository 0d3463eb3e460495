{#- z of a one-sided 80 %: the odds that a verdict's directional evidence calls moderate, asked of the shop's own weeks as well. -#}
{% set z = 0.8416212335729143 %}
{% set least_trials = 30 %}
-- The range of the benchmark that measures the same two counts, in whichever family the rate stands.
with ranges as (
    select *
    from {{ ref('int_benchmarks__judged') }}
    qualify row_number() over (
        partition by property_id, window_name, segment_name, segment_value, numerator_key, denominator_key order by benchmark_key
    ) = 1
),

compared as (
    select
        valued.*,
        ranges.benchmark_low,
        ranges.benchmark_high,
        ranges.status,
        ranges.directional_evidence,
        ranges.p_below,
        own.weeks,
        own.own_p25,
        own.own_p75,
        case
            when valued.family = 'dwell' then valued.value
            when valued.family <> 'carts' then {{ wilson_bound('valued.numerator', 'valued.denominator', '-', n_eff='valued.n_eff', z=z) }}
        end as likely_low,
        case
            when valued.family = 'dwell' then valued.value
            when valued.family <> 'carts' then {{ wilson_bound('valued.numerator', 'valued.denominator', '+', n_eff='valued.n_eff', z=z) }}
        end as likely_high
    from {{ ref('int_metrics__valued') }} as valued
    left join ranges using (property_id, window_name, segment_name, segment_value, numerator_key, denominator_key)
    left join {{ ref('int_metrics__remembered') }} as own
        using (property_id, window_name, segment_name, segment_value, numerator_key, denominator_key)
),

-- A difference counts with odds, and when it is large enough to matter: of many sessions the smallest one has the odds.
reasoned as (
    select
        *,
        case
            when state <> 'measured' then state
            when family = 'carts' and value >= {{ var('least_lost_carts') }} * window_days / 28.0 then 'volume'
            when family = 'carts' then 'little_volume'
            when status = 'anomaly' then 'anomaly'
            when status = 'below' then 'benchmark_below'
            when directional_evidence in ('strong', 'moderate') then 'directional_' || directional_evidence
            when status = 'above' then 'benchmark_above'
            when denominator < {{ least_trials }} then 'too_few'
            when value > own_p75 * (1 + {{ var('least_own_change') }}) and likely_low > own_p75 then 'own_above'
            when status in ('within', 'likely_within', 'leaning_above') then 'benchmark_fine'
            when status is not null then 'undecided'
            when own_p25 is null then 'no_history'
            when value < own_p25 * (1 - {{ var('least_own_change') }}) and likely_high < own_p25 then 'own_below'
            else 'own_usual'
        end as reason
    from compared
)

select
    * exclude (
        state, n_eff, benchmark_low, benchmark_high, status, directional_evidence, weeks, own_p25, own_p75, likely_low, likely_high
    ),
    family || '(' || name || ')' as metric,
    case
        when reason in ('benchmark_below', 'directional_strong', 'directional_moderate', 'own_below') then 'low'
        when reason in ('benchmark_above', 'own_above', 'volume') then 'high'
        when reason in ('benchmark_fine', 'own_usual', 'little_volume') then 'normal'
        else 'unknown'
    end as level,
    case when reason like 'own%' then own_p25 when reason <> 'no_history' then benchmark_low end as comparison_low,
    case when reason like 'own%' then own_p75 when reason <> 'no_history' then benchmark_high end as comparison_high,
    null::varchar as detail
from reasoned
union all
select * from {{ ref('int_metrics__tracked') }}
