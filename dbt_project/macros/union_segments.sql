{#- The raw tables of one report, one per segment, as one long table (segment_name, segment_value). -#}
{% macro union_segments(report) -%}
    {%- for segment in var('segments') %}
    {%- set column = var('segments')[segment] %}
    select
        '{{ segment }}' as segment_name,
        {{ "* rename (" ~ column ~ " as segment_value)" if column else "'all' as segment_value, *" }}
    from {{ source('raw', 'ga4_' ~ report ~ '_by_' ~ segment) }}
    where {{ takes_part() }}
    {%- if not loop.last %}
    union all by name
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
