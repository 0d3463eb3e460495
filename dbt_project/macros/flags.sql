{#- What the source says against a number, as one integer until the marts spell it out: bits are joined over days with
    bit_or, and over numerator and denominator with |. -#}
{% macro flag_bits(
    sampled='false', thresholded='false', other='false', restricted='false', truncated='false', missing_rows='false', low_volume='false'
) -%}
    (
        {%- for flag in [sampled, thresholded, other, restricted, truncated, missing_rows, low_volume] %}
        {{ '+ ' if not loop.first }}case when {{ flag }} then {{ 2 ** loop.index0 }} else 0 end
        {%- endfor %}
    )
{%- endmacro %}

{#- The flags of a mart: names in a fixed order; NULL where nothing speaks against the number. -#}
{% macro flag_names(bits) -%}
    case
        when {{ bits }} > 0
            then concat_ws(
                ', '
                {%- for name in ['sampled', 'thresholded', 'other', 'restricted', 'truncated', 'missing_rows', 'low_volume'] %},
                case when {{ bits }} & {{ 2 ** loop.index0 }} > 0 then '{{ name }}' end
                {%- endfor %}
            )
    end
{%- endmacro %}
