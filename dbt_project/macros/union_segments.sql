{#- The raw tables of one report, one per segment, as one long table (segment_name, segment_value). -#}
{% macro union_segments(report, columns) -%}
    {%- for segment in var('segments') %}
    select
        property_id,
        date,
        '{{ segment }}' as segment_name,
        {{ var('segments')[segment] or "'all'" }} as segment_value,
        {%- for name in columns %}
        {{ name }},
        {%- endfor %}
        pulled_at,
        pull_id
    from {{ source('raw', 'ga4_' ~ report ~ '_by_' ~ segment) }}
    where {{ takes_part() }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
{%- endmacro %}
