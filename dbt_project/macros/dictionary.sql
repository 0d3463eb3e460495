{#- Every column of every mart as its contract tells it, as a relation; without a graph (parsing, linting) it is empty. -#}
{% macro mart_columns() -%}
    {%- set rows = [] -%}
    {%- if execute is defined and execute -%}
        {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('schema', 'equalto', 'marts') | sort(attribute='name') -%}
            {%- for column in node.columns.values() -%}
                {%- set texts = [node.name, column.name, column.data_type, column.description, node.description] -%}
                {%- do rows.append(texts | map('trim') | map('replace', "'", "''") | list + [loop.index]) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    (
        values
        {% for table, name, type, description, table_description, position in rows -%}
            ('{{ table }}', {{ position }}, '{{ name }}', '{{ type }}', '{{ description }}', '{{ table_description }}')
            {{- '' if loop.last else ',' }}
        {% else -%}
            (null, null, null, null, null, null)
        {% endfor -%}
    ) as listed (table_name, column_position, column_name, data_type, description, table_description)
{%- endmacro %}
