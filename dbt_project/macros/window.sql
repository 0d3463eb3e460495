{#- The window of an incremental run. The explicit delete is needed because insert strategies never empty a day whose
    source became empty. A first build or a full refresh takes the whole history, so both ways end in the same rows. -#}
{% macro in_window(column='date') -%}
    {%- if is_incremental() -%}
        {{ column }} between date '{{ var("start_date") }}' and date '{{ var("end_date") }}'
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}

{% macro delete_window() -%}
    {%- if is_incremental() -%}
        delete from {{ this }} where {{ in_window() }}
    {%- endif -%}
{%- endmacro %}
