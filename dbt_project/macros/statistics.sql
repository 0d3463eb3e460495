{#- Rates and intervals. `successes` and `trials` are SQL expressions; every result is NULL where it is undefined. -#}

{% macro rate(successes, trials) -%}
    (({{ successes }}) / nullif(cast({{ trials }} as double), 0))
{%- endmacro %}

{#- Bounds of the 95 % Wilson interval (Wilson 1927), clamped to [0, 1]. `n_eff` is the effective sample size where the
    counts are overdispersed or estimated; it defaults to the trials. None where there is no trial or more successes than trials. -#}
{% macro wilson_bound(successes, trials, sign, n_eff=none, z=1.959963984540054) -%}
    {%- set n = '(' ~ (n_eff or trials) ~ ')' -%}
    {%- set p = rate(successes, trials) -%}
    (case when ({{ trials }}) > 0 and ({{ successes }}) <= ({{ trials }})
        then least(1, greatest(0, (
            {{ p }} + {{ z * z }} / (2 * {{ n }})
            {{ sign }} {{ z }} * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z * z }} / (4.0 * {{ n }} * {{ n }}))
        ) / (1 + {{ z * z }} / {{ n }})))
    end)
{%- endmacro %}

{% macro wilson_low(successes, trials, n_eff=none) -%}
    {{ wilson_bound(successes, trials, '-', n_eff) }}
{%- endmacro %}

{% macro wilson_high(successes, trials, n_eff=none) -%}
    {{ wilson_bound(successes, trials, '+', n_eff) }}
{%- endmacro %}

{#- Newcombe's hybrid interval of the difference rate - other_rate, from the Wilson bounds of both (Newcombe 1998, method 10). -#}
{% macro newcombe_low(rate, low, other_rate, other_high) -%}
    (({{ rate }}) - ({{ other_rate }}) - sqrt(pow(({{ rate }}) - ({{ low }}), 2) + pow(({{ other_high }}) - ({{ other_rate }}), 2)))
{%- endmacro %}

{% macro newcombe_high(rate, high, other_rate, other_low) -%}
    (({{ rate }}) - ({{ other_rate }}) + sqrt(pow(({{ high }}) - ({{ rate }}), 2) + pow(({{ other_rate }}) - ({{ other_low }}), 2)))
{%- endmacro %}

{#- P(no event in `n` trials | the baseline successes/trials). A baseline of 100 % is held at trials/(trials + 1), so that one
    session that had the event cannot condemn the next one that has not. -#}
{% macro zero_run_probability(successes, trials, n) -%}
    coalesce(pow(1 - least({{ rate(successes, trials) }}, ({{ trials }}) / (({{ trials }}) + 1.0)), {{ n }}), 1)
{%- endmacro %}
