{#- The grain of a table: no two rows share these columns, and none of them is NULL. -#}
{% test unique_grain(model, columns) %}
    select
        {{ columns | join(', ') }},
        count(*) as row_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having count(*) > 1
{%- for column in columns %} or {{ column }} is null{% endfor %}
{% endtest %}
