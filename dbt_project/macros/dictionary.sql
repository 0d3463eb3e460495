{#- Every column of every mart as its contract tells it, as a relation; of a second source's marts where they are built, which
    this very run may be about to do. Without a graph (parsing, linting) it is empty. -#}
{% macro mart_columns() -%}
    {%- set rows = [] -%}
    {%- if execute is defined and execute -%}
        {%- for node in graph.nodes.values() | selectattr('resource_type', 'equalto', 'model')
            | selectattr('schema', 'equalto', 'marts') | sort(attribute='name')
            if 'sources' not in node.fqn or node.unique_id in selected_resources
            or adapter.get_relation(node.database, node.schema, node.alias) is not none -%}
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
