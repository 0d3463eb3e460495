{#- Aggregate: a sum of doubles that is the same in whatever order threads add them up; a millionth is below any money. -#}
{% macro exact_sum(column) -%}
    cast(sum(cast({{ column }} as decimal(24, 6))) as double)
{%- endmacro %}

{#- Aggregate over days: a sum that lacks a day's number (restricted) is no number. -#}
{% macro whole_sum(column, type='bigint') -%}
    case
        when count({{ column }}) = count(*)
            then {% if type == 'double' %}{{ exact_sum(column) }}{% else %}cast(sum({{ column }}) as {{ type }}){% endif %}
    end
{%- endmacro %}
