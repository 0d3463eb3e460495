{#- The grain of a table: no two rows share these columns, and none of them is NULL. `only`: see tested_rows. -#}
{% test unique_grain(model, columns, only='all') %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    where {{ tested_rows(only) }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
