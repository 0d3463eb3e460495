{#- Rates and intervals. `successes` and `trials` are SQL expressions; every result is NULL where it is undefined. No macro
    here throws, whatever the counts are: one odd row must not stop the others (tests/dbt/test_total_macros.py). Counts are
    doubles in every formula, for products of integers and decimals overflow. -#}

{% macro rate(successes, trials) -%}
    (({{ successes }}) / nullif(cast({{ trials }} as double), 0))
{%- endmacro %}

{#- Condition: a rate that no rate can be, above 100 % or below 0 % (differences of estimates may be negative). It keeps
    its raw value, has no interval and is an anomaly. NULL where a count is missing. -#}
{% macro is_beyond(successes, trials) -%}
    (({{ successes }}) > ({{ trials }}) or ({{ successes }}) < 0)
{%- endmacro %}

{#- Bounds of the Wilson interval (Wilson 1927), 95 % unless another `z` is given, clamped to [0, 1]. `n_eff`: the effective
    trials where they are known; else those of one estimate of `unit` (effective_trials), events being exact. None where
    there is no trial or the rate is beyond 0 or 100 %. -#}
{% macro wilson_bound(successes, trials, sign, n_eff=none, unit='events', exact=none, z=1.959963984540054) -%}
    {%- set n = 'cast(' ~ (n_eff or effective_trials(successes, trials, unit=unit, exact=exact)) ~ ' as double)' -%}
    {%- set p = rate(successes, trials) -%}
    (case when ({{ trials }}) > 0 and not {{ is_beyond(successes, trials) }} and {{ n }} > 0 and isfinite({{ p }}) and isfinite({{ n }})
        then least(1, greatest(0, (
            {{ p }} + {{ z * z }} / (2 * {{ n }})
            {{ sign }} {{ z }} * sqrt({{ p }} * (1 - {{ p }}) / {{ n }} + {{ z * z }} / (4.0 * {{ n }} * {{ n }}))
        ) / (1 + {{ z * z }} / {{ n }})))
    end)
{%- endmacro %}

{% macro wilson_low(successes, trials, n_eff=none, unit='events', exact=none) -%}
    {{ wilson_bound(successes, trials, '-', n_eff, unit, exact) }}
{%- endmacro %}

{% macro wilson_high(successes, trials, n_eff=none, unit='events', exact=none) -%}
    {{ wilson_bound(successes, trials, '+', n_eff, unit, exact) }}
{%- endmacro %}

{#- Select items: a rate and its interval, NULL where not `condition`. `ci`: what their names begin with. -#}
{% macro rate_with_interval(name, condition, successes, trials, n_eff=none, unit='events', exact=none, ci='') -%}
    case when {{ condition }} then {{ rate(successes, trials) }} end as {{ name }},
    case when {{ condition }} then {{ wilson_low(successes, trials, n_eff, unit, exact) }} end as {{ ci }}ci_low,
    case when {{ condition }} then {{ wilson_high(successes, trials, n_eff, unit, exact) }} end as {{ ci }}ci_high
{%- endmacro %}

{#- Effective trials of a rate (docs/analytics.md, "Uncertainty"): n_eff = p(1-p) / (phi p(1-p)/n + p^2 sigma^2). Two kinds of counts:
    - one that GA4 estimated at once (a day, a window of users): phi is 1, sigma the error of its HyperLogLog counts, which
      are exact up to about 3,000; nobody or everybody tells nothing of sigma. It has none where `exact` (SQL).
    - a sum of daily counts, whose errors are independent: phi of these days holds them already, and sigma is 0. -#}
{% macro effective_trials(successes, trials, phi=none, unit='sessions', exact=none) -%}
    {%- set sigma = {'sessions': var('sessions_sigma'), 'users': var('users_sigma'), 'events': 0}[unit] | float -%}
    {%- set x, n = 'cast(' ~ successes ~ ' as double)', 'cast(' ~ trials ~ ' as double)' -%}
    {%- if phi -%}
    ({{ n }} / ({{ phi }}))
    {%- elif sigma -%}
    (case when {{ n }} > {{ var('exact_up_to') }} and {{ x }} >= 1 and {{ n }} - {{ x }} >= 1{{ ' and not ' ~ exact if exact }}
        then 1 / (1.0 / {{ n }} + {{ sigma * sigma }} * {{ x }} / ({{ n }} - {{ x }}))
        else {{ n }}
    end)
    {%- else -%}
    {{ n }}
    {%- endif -%}
{%- endmacro %}

{#- Aggregate over the days for which `condition` holds: Pearson's chi^2 of daily counts, sum((x - n p)^2 / (n p q)), p being
    their common rate; NULL unless that is between 0 and 1. In one pass, added up as decimals: the same in whatever order
    threads go. -#}
{% macro pearson_chi2(successes, trials, condition) -%}
    {%- set is_day = 'filter (where ' ~ condition ~ ')' -%}
    {%- set x, n = 'cast(sum(' ~ successes ~ ') ' ~ is_day ~ ' as double)', 'cast(sum(' ~ trials ~ ') ' ~ is_day ~ ' as double)' -%}
    {%- set p = '(' ~ x ~ ' / ' ~ n ~ ')' -%}
    (case when {{ p }} > 0 and {{ p }} < 1
        then (
            cast(sum(try_cast(pow(cast({{ successes }} as double), 2) / {{ trials }} as decimal(38, 9))) {{ is_day }} as double)
            - 2 * {{ p }} * {{ x }}
            + pow({{ p }}, 2) * {{ n }}
        ) / ({{ p }} * (1 - {{ p }}))
    end)
{%- endmacro %}

{#- phi = max(1, chi^2 / its degrees of freedom) (McCullagh and Nelder 1989, 4.5), 1 with fewer than 7 days. -#}
{% macro dispersion_of_chi2(chi2, degrees) -%}
    (case when {{ degrees }} + 1 >= {{ var('least_varying_days') }} then greatest(1, {{ chi2 }} / ({{ degrees }})) else 1 end)
{%- endmacro %}

{#- Condition: a day tells something of the variation between days, having both counts and trials. One above 100 % does, too: without
    the days on which most skipped the step before, the interval of a step that one in twenty skips covers 80 instead of 95 %. One
    condition: two were asked of each side of a join by itself, which over 730 days took 0.17 s. -#}
{% macro is_varying_day(successes, trials) -%}
    (case when ({{ trials }}) > 0 then ({{ successes }}) >= 0 end)
{%- endmacro %}

{#- Aggregate over the days of a window: phi of the daily counts. -#}
{% macro overdispersion(successes, trials) -%}
    {%- set is_day = is_varying_day(successes, trials) -%}
    {{ dispersion_of_chi2(pearson_chi2(successes, trials, is_day), 'count(*) filter (where ' ~ is_day ~ ') - 1') }}
{%- endmacro %}

{#- phi is itself an estimate from few days: its excess over 1 is widened by (t/z)^2, t the 97.5 % point of Student's
    distribution with days - 1 degrees of freedom (expansion 26.7.5 of Abramowitz and Stegun; docs/analytics.md,
    "Uncertainty"). -#}
{% macro widened_dispersion(phi, days) -%}
    {%- set z = 1.959963984540054 -%}
    {%- set v = 'greatest(1, cast(' ~ days ~ ' as double) - 1)' -%}
    (1 + (cast({{ phi }} as double) - 1) * pow((
        {{ z }} + {{ (z ** 3 + z) / 4 }} / {{ v }} + {{ (5 * z ** 5 + 16 * z ** 3 + 3 * z) / 96 }} / pow({{ v }}, 2)
        + {{ (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / 384 }} / pow({{ v }}, 3)
    ) / {{ z }}, 2))
{%- endmacro %}

{#- Aggregate over the days of a window: phi as n_eff is reckoned with. -#}
{% macro widened_overdispersion(successes, trials) -%}
    {%- set days = 'count(*) filter (where ' ~ is_varying_day(successes, trials) ~ ')' -%}
    {{ widened_dispersion(overdispersion(successes, trials), days) }}
{%- endmacro %}

{#- Aggregate over the days of a window: variance of the value of one order, from what an order of each day brought on average:
    sum(n (r/n - m)^2) / (days - 1), r revenue, n orders, m their quotient. NULL with fewer days of orders than tell anything. -#}
{% macro order_variance(revenue, orders) -%}
    {%- set is_day = 'filter (where ' ~ orders ~ ' > 0 and ' ~ revenue ~ ' is not null)' -%}
    {%- set r = 'cast(sum(try_cast(' ~ revenue ~ ' as decimal(24, 6))) ' ~ is_day ~ ' as double)' -%}
    {%- set n = 'cast(sum(' ~ orders ~ ') ' ~ is_day ~ ' as double)' -%}
    (case when count(*) {{ is_day }} >= {{ var('least_varying_days') }}
        then greatest(0, (
            cast(sum(try_cast(pow(cast({{ revenue }} as double), 2) / {{ orders }} as decimal(30, 6))) {{ is_day }} as double)
            - pow({{ r }}, 2) / {{ n }}
        ) / (count(*) {{ is_day }} - 1))
    end)
{%- endmacro %}

{#- Newcombe's hybrid interval of the difference rate - other_rate, from the Wilson bounds of both (Newcombe 1998, method 10). -#}
{% macro newcombe_low(rate, low, other_rate, other_high) -%}
    (({{ rate }}) - ({{ other_rate }}) - sqrt(pow(({{ rate }}) - ({{ low }}), 2) + pow(({{ other_high }}) - ({{ other_rate }}), 2)))
{%- endmacro %}

{% macro newcombe_high(rate, high, other_rate, other_low) -%}
    (({{ rate }}) - ({{ other_rate }}) + sqrt(pow(({{ high }}) - ({{ rate }}), 2) + pow(({{ other_rate }}) - ({{ other_low }}), 2)))
{%- endmacro %}

{#- Standard error of ln(lift), users who added with X over those who added without it: of `did_adds` of `did`, and of the rest of `adds`
    of all `users` (delta method; Katz et al. 1978). To it comes the error of GA4's four estimates, each by itself and none where
    `exact` (SQL): of a difference it is a larger share, the less is left. -#}
{% macro lift_error(users, adds, did, did_adds, exact) -%}
    {%- set n, x, n1, x1 = ('cast(' ~ users ~ ' as double)', 'cast(' ~ adds ~ ' as double)',
        'cast(' ~ did ~ ' as double)', 'cast(' ~ did_adds ~ ' as double)') -%}
    {%- set is_estimate = ' > ' ~ var('exact_up_to') ~ ' and not ' ~ exact -%}
    sqrt(
        1 / {{ x1 }} - 1 / {{ n1 }} + 1 / ({{ x }} - {{ x1 }}) - 1 / ({{ n }} - {{ n1 }})
        + {{ (var('users_sigma') | float) ** 2 / 2 }} * (
            (cast({{ x ~ is_estimate }} as integer) + cast({{ x1 ~ is_estimate }} as integer)) * pow({{ x }} / ({{ x }} - {{ x1 }}), 2)
            + (cast({{ n ~ is_estimate }} as integer) + cast({{ n1 ~ is_estimate }} as integer)) * pow({{ n }} / ({{ n }} - {{ n1 }}), 2)
        )
    )
{%- endmacro %}

{#- How likely a silence is: no event of `successes` in `exposed` sessions of its parent, nor in those of the silence. Where
    the parent was silent too, all sessions (`visits`) stand in for it: tags that broke together are lost together. -#}
{% macro silence_probability(successes, exposed, visits, silent_exposed, silent_visits) -%}
    case
        when {{ silent_exposed }} > 0 and {{ exposed }} > 0 then {{ zero_run_probability(successes, exposed, silent_exposed) }}
        else {{ zero_run_probability(successes, visits, silent_visits) }}
    end
{%- endmacro %}

{#- P(no event in `n` trials | the baseline successes/trials). A baseline of 100 % is held at trials/(trials + 1), so that one
    session that had the event cannot condemn the next one that has not. -#}
{% macro zero_run_probability(successes, trials, n) -%}
    {%- set counted = 'cast(' ~ trials ~ ' as double)' -%}
    coalesce(
        case when ({{ successes }}) is not null
            then pow(1 - least({{ rate(successes, trials) }}, {{ counted }} / ({{ counted }} + 1)), cast({{ n }} as double))
        end, 1
    )
{%- endmacro %}
