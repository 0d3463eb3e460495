{#- Aggregate: a sum of doubles that is the same in whatever order threads add them up; a millionth is below any money. No
    sum where one of them is no number that can be added up (NaN, 10^18 and more), rather than an error. -#}
{% macro decimal_sum(column) -%}
    {%- set exact = 'try_cast(' ~ column ~ ' as decimal(24, 6))' -%}
    case when count({{ exact }}) = count({{ column }}) then sum({{ exact }}) end
{%- endmacro %}

{#- The same as a double. -#}
{% macro exact_sum(column) -%}
    cast({{ decimal_sum(column) }} as double)
{%- endmacro %}

{#- Aggregate: a sum of counts. One that no count can be (beyond 64 bits) is no number. -#}
{% macro count_sum(column) -%}
    try_cast(sum({{ column }}) as bigint)
{%- endmacro %}

{#- A count less another one; no number beyond 64 bits. -#}
{% macro count_difference(count, other) -%}
    try_cast(cast({{ count }} as hugeint) - {{ other }} as bigint)
{%- endmacro %}

{#- Aggregate over days: a sum that lacks a day's number (restricted) is no number. -#}
{% macro whole_sum(column, type='bigint') -%}
    case
        when count({{ column }}) = count(*)
            then {% if type == 'double' %}{{ exact_sum(column) }}{% else %}{{ count_sum(column) }}{% endif %}
    end
{%- endmacro %}

{#- Select items, aggregates over days: money and its currency. Neither a day without its number nor two currencies make a sum. -#}
{% macro whole_money(amount, currency, name) -%}
    case
        when count({{ amount }}) = count(*) and coalesce(min({{ currency }}) = max({{ currency }}), true) then {{ exact_sum(amount) }}
    end as {{ name }},
    max({{ currency }}) as currency
{%- endmacro %}

{#- A pull's totals by metric, out of their JSON. Sums of doubles may differ in the last digit although nothing changed; cents
    do not. A total that is no number that can be added up (NaN, 10^36 and more) is NULL. -#}
{% macro totals_in_cents(column) -%}
    try_cast(try_cast({{ column }} as json) as map (varchar, decimal(38, 2)))
{%- endmacro %}

{#- SQL of sums over windows: rows by day, as `days`, summed up over every window (the prior ones too). `cell`: the columns that
    name a row of a day; `only`: a condition on them; the sums are what the caller writes. -#}
{% macro windowed_sums(rows, cell, only=none) -%}
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        {%- for column in cell %}
        days.{{ column }},
        {%- endfor %}
        {{ caller() | trim }}
    from {{ ref('int_funnel__periods_listed') }} as periods
    inner join {{ rows }} as days using (property_id, date)
    where periods.window_name <> '1d'{{ ' and ' ~ only if only }}
    group by all
{%- endmacro %}

{#- SQL of sums over the whole weeks before each window of `rates`: rows by day, as `days` (`rows`, of the days on which their key
    was tracked), of `weeks` weeks. A week that lacks a day, or a day's `amount`, is none; the sums are what the caller writes. -#}
{% macro weekly_sums(rates, rows, amount, weeks) -%}
    select
        windows.property_id,
        windows.window_name,
        days.segment_name,
        days.segment_value,
        days.key,
        (windows.window_start - 1 - days.date) // 7 as weeks_ago,
        {{ caller() | trim }}
    from (select distinct property_id, window_name, window_start from {{ rates }}) as windows
    inner join {{ rows }} as days
        on
            windows.property_id = days.property_id
            and days.date between windows.window_start - {{ 7 * weeks | int }} and windows.window_start - 1
    group by all
    having count(days.{{ amount }}) = 7
{%- endmacro %}

{#- Select items: columns in the type of their contract; a number that it cannot hold is none. -#}
{% macro cast_to(type) -%}
    {%- for column in varargs %}
    try_cast({{ column }} as {{ type }}) as {{ column }}{{ ',' if not loop.last }}
    {%- endfor %}
{%- endmacro %}
