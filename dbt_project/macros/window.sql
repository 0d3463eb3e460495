{#- The window of an incremental run. The explicit delete is needed because insert strategies never empty a day whose
    source became empty. A first build or a full refresh takes the whole history, so both ways end in the same rows.
    `reach_back`: so many days before it as well, for windows that ended before the run's own began. -#}
{% macro in_window(column='date', reach_back=0) -%}
    {%- if is_incremental() -%}
        {{ column }} between date '{{ var("start_date") }}' - {{ reach_back }} and date '{{ var("end_date") }}'
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro delete_window(reach_back=0) -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ in_window(reach_back=reach_back) }}
    {%- endif -%}
{%- endmacro %}
