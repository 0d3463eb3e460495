{#- The intervals of macros/statistics.sql as DuckDB macros beside the marts, for readers: publishing takes them along. Counts
    are taken as they come (events); `…_days` are aggregates over rows that are a day each, whose variation they allow for as
    the marts' windows do. -#}
{% macro create_reader_macros() -%}
    {%- set interval_of_days = {
        'n': 'cast(sum(n) filter (where x is not null) as double)', 'x': 'cast(sum(x) filter (where n is not null) as double)',
        'phi': widened_overdispersion('x', 'n'),
    } -%}
    {%- set n_eff = effective_trials(interval_of_days.x, interval_of_days.n, phi=interval_of_days.phi) -%}
    create or replace macro marts.wilson_low(x, n) as {{ wilson_low('x', 'n') }};
    create or replace macro marts.wilson_high(x, n) as {{ wilson_high('x', 'n') }};
    create or replace macro marts.newcombe_low(x1, n1, x2, n2) as
        {{ newcombe_low(rate('x1', 'n1'), wilson_low('x1', 'n1'), rate('x2', 'n2'), wilson_high('x2', 'n2')) }};
    create or replace macro marts.newcombe_high(x1, n1, x2, n2) as
        {{ newcombe_high(rate('x1', 'n1'), wilson_high('x1', 'n1'), rate('x2', 'n2'), wilson_low('x2', 'n2')) }};
    create or replace macro marts.wilson_low_days(x, n) as {{ wilson_low(interval_of_days.x, interval_of_days.n, n_eff) }};
    create or replace macro marts.wilson_high_days(x, n) as {{ wilson_high(interval_of_days.x, interval_of_days.n, n_eff) }}
{%- endmacro %}
