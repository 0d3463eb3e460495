{#- Models of second sources are built only where some property has the source, so what reads one of them asks first. -#}

{#- Whether the model that `relation` (a ref) names is there. -#}
{% macro is_built(relation) -%}
    {{- return(execute and load_relation(relation) is not none) -}}
{%- endmacro %}

{#- Whether Shopify tells of a key of the tracking plan. Of a shop that it alone tells of, the others do not apply. -#}
{% macro is_told_by_shopify(key) -%}
    {{ key }} in ('sessions', 'add_to_cart', 'checkout_start', 'purchase')
{%- endmacro %}

{#- How Shopify counted sessions on `date`. From 21 to 23 September 2026 shop by shop: until then a session ended at midnight
    UTC, too, and identified bots were counted; since then only after 30 minutes without activity. Nothing is compared across. -#}
{% macro shopify_session_definition(date) -%}
    case
        when {{ date }} < date '{{ var("shopify_sessions_change_first") }}' then 'until_midnight'
        when {{ date }} > date '{{ var("shopify_sessions_change_last") }}' then 'until_idle'
        else 'changing'
    end
{%- endmacro %}

{#- Select items: which map of a heatmap tool (MAP of pipelines/sources/heatmaps/tables.py). -#}
{% macro map_columns() -%}
    property_id,
    tool,
    page_path,
    device,
    period_start,
    period_end
{%- endmacro %}
