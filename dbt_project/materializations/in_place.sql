{#- Tables and views are replaced in place, by one statement or in one transaction. The library's own materializations
    build aside, rename twice and drop, for databases that cannot: ten statements and three contexts of all macros a
    model, a twelfth of a night. -#}
{% materialization table, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {%- set relation = this.incorporate(type='table') -%}
    {{ begin_replacing(relation) }}
    {#- Called from here: dbt runs Python only for a materialization itself. -#}
    {%- call statement('main', language=model['language']) -%}
        {%- if model['language'] == 'python' -%}
            {{ py_write_table(False, relation, compiled_code) }}
        {%- elif config.get('contract').enforced -%}
            {{ get_assert_columns_equivalent(compiled_code) }}
            create or replace table {{ relation }} {{ get_table_columns_and_constraints() }};
            insert into {{ relation }} {{ get_column_names() }} ({{ get_select_subquery(compiled_code) }});
        {%- else -%}
            create or replace table {{ relation }} as ({{ compiled_code }});
        {%- endif -%}
    {%- endcall -%}
    {{ finish_replacing() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% materialization view, adapter='duckdb' %}
    {%- set relation = this.incorporate(type='view') -%}
    {{ begin_replacing(relation) }}
    {%- call statement('main') -%}
        create or replace view {{ relation }} as ({{ compiled_code }});
    {%- endcall -%}
    {{ finish_replacing() }}
    {{ return({'relations': [relation]}) }}
{% endmaterialization %}

{% macro begin_replacing(relation) %}
    {%- set existing = load_cached_relation(this) -%}
    {%- if existing is not none and existing.type != relation.type -%}
        {#- On its own: a Python model writes in another transaction, which would not see this one's drop. -#}
        {%- call statement('drop') -%} drop {{ existing.type }} {{ existing }} {%- endcall -%}
        {{ adapter.commit() }}
    {%- endif -%}
    {%- if pre_hooks -%}
        {{ run_hooks(pre_hooks, inside_transaction=False) }}
        {{ run_hooks(pre_hooks, inside_transaction=True) }}
    {%- endif -%}
{% endmacro %}

{% macro finish_replacing() %}
    {%- if post_hooks -%} {{ run_hooks(post_hooks, inside_transaction=True) }} {%- endif -%}
    {{ adapter.commit() }}
    {%- if post_hooks -%} {{ run_hooks(post_hooks, inside_transaction=False) }} {%- endif -%}
{% endmacro %}

{#- As the library's, which makes a new table only. -#}
{% macro py_write_table(temporary, relation, compiled_code, partitioned_by=none, sorted_by=none) -%}
{{ compiled_code }}

def materialize(df, con):
    con.register('__rows', df)
    con.execute('create or replace table {{ relation }} as select * from __rows')
    con.unregister('__rows')
{%- endmacro %}

{#- As the library's, which calls two macros for each of three thousand fields. -#}
{% macro duckdb__load_csv_rows(model, agate_table) %}
    {%- set told = adapter.convert_datetimes_to_strs(agate_table) -%}
    {%- set places = '(' ~ (['?'] * (told.column_names | length)) | join(', ') ~ ')' -%}
    {%- set bindings = [] -%}
    {%- for row in told.rows -%} {%- do bindings.extend(row) -%} {%- endfor -%}
    {%- set sql -%}
        insert into {{ this }} ({{ get_seed_column_quoted_csv(model, told.column_names) }}) values
        {{ ([places] * (told.rows | length)) | join(', ') }}
    {%- endset -%}
    {%- if bindings -%} {%- do adapter.add_query(sql, bindings=bindings, abridge_sql_log=True) -%} {%- endif -%}
    {{ return(sql) }}
{%- endmacro %}
