{#- What the tables of closed funnels have in common: each window of each device is one response of GA4's. -#}

{#- Body of a CTE: the pulls of `report`, with what they say against its numbers. -#}
{% macro funnel_pulls(report) -%}
(
    select
        property_id,
        window_name,
        date as window_end,
        is_sampled,
        not is_sampled as is_complete,
        maturity,
        {{ flag_bits(sampled='is_sampled', exact="route = 'export'") }} as flag_bits
    from {{ ref('int_pulls__latest') }}
    where report = '{{ report }}'
)
{%- endmacro %}

{#- Select items: the part of the shop that the device of `rows` is. -#}
{% macro device_segment(rows) -%}
    case when {{ rows }}.device_category = 'all' then 'all' else 'device' end as segment_name,
    {{ rows }}.device_category as segment_value
{%- endmacro %}
