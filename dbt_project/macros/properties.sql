{#- Which properties a run builds: the configured ones, less those that it has blocked so far. Every staging model reads
    its rows through this, so that nothing downstream ever computes on the rows of a blocked property. What was built of
    it by earlier runs stays where it is (macros/days.sql), and readers keep its rows of the version before. -#}
{% macro takes_part() -%}
    property_id in (
        select p.property_id from {{ source('ops', 'properties') }} as p where p.is_active and not coalesce(p.is_blocked, false)
    )
{%- endmacro %}

{% macro is_blocked(table, column='property_id') -%}
    {{ table }}.{{ column }} in (select p.property_id from {{ source('ops', 'properties') }} as p where p.is_blocked)
{%- endmacro %}
