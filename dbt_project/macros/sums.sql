{#- Aggregate over days: a sum that lacks a day's number (restricted) is no number. -#}
{% macro whole_sum(column, type='bigint') -%}
    case when count({{ column }}) = count(*) then cast(sum({{ column }}) as {{ type }}) end
{%- endmacro %}
