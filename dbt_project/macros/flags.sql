{#- What the source says against a number, as one integer until the marts spell it out: bits are joined over days with
    bit_or, and over numerator and denominator with |. The last says nothing against it: the number was counted from the
    event export, and is no estimate. -#}
{% macro flag_bits(
    sampled='false', thresholded='false', other='false', restricted='false', truncated='false', missing_rows='false', low_volume='false',
    exact='false'
) -%}
    (
        {%- for flag in [sampled, thresholded, other, restricted, truncated, missing_rows, low_volume, exact] %}
        {{ '+ ' if not loop.first }}case when {{ flag }} then {{ 2 ** loop.index0 }} else 0 end
        {%- endfor %}
    )
{%- endmacro %}

{% macro is_exact(bits) -%}
    ({{ bits }} & {{ 2 ** 7 }} > 0)
{%- endmacro %}

{#- The flags of a mart: names in a fixed order; NULL where nothing speaks against the number. -#}
{% macro flag_names(bits) -%}
    case
        when {{ bits }} & {{ 2 ** 7 - 1 }} > 0
            then concat_ws(
                ', '
                {%- for name in ['sampled', 'thresholded', 'other', 'restricted', 'truncated', 'missing_rows', 'low_volume'] %},
                case when {{ bits }} & {{ 2 ** loop.index0 }} > 0 then '{{ name }}' end
                {%- endfor %}
            )
    end
{%- endmacro %}
