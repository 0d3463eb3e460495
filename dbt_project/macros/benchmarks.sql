{#- Which benchmark is the nearest one, and how it is told. -#}

{#- Condition: `row` (industry, device, region) was measured at shops, devices and countries like those of a cell. The shop's
    country speaks for every cell but those of another country. -#}
{% macro fits_cell(row, cells='cells', shop='properties') -%}
    {{ row }}.industry in ('all', {{ shop }}.industry)
    and (
        {{ row }}.device = 'all'
        or ({{ cells }}.segment_name = 'device' and {{ cells }}.segment_value = {{ row }}.device)
    )
    and (
        {{ row }}.region = 'all'
        or list_contains(
            string_split({{ row }}.region, '|'),
            if({{ cells }}.segment_name = 'country', {{ cells }}.segment_value, {{ shop }}.region)
        )
    )
{%- endmacro %}

{#- Text of a share: 0.0135 is 1.35 %, 0.5 is 50 %. -#}
{% macro percent_text(share) -%}
    concat(rtrim(rtrim(format('{:.2f}', 100 * {{ share }}), '0'), '.'), ' %')
{%- endmacro %}

{#- Text: who measured or wrote, how many shops, when. -#}
{% macro publication_text(publisher, sample, period) -%}
    concat_ws(', ', {{ publisher }}, if({{ sample }} = 'not stated', 'no sample stated', {{ sample }}), {{ period }})
{%- endmacro %}
