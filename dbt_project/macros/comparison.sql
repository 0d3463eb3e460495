{#- A window against the one before it: the same for every table of windows. -#}

{#- Condition: `prior_window` is the row of the window before that of `rows`. `cell`: the columns that name a row of a window. -#}
{% macro is_prior_window(rows, cell) -%}
    {{ rows }}.property_id = prior_window.property_id
    and {{ rows }}.window_name = prior_window.window_name
    and {{ rows }}.window_start = prior_window.window_end + 1
    {%- for column in cell %}
    and {{ rows }}.{{ column }} = prior_window.{{ column }}
    {%- endfor %}
{%- endmacro %}

{#- CTE from `rated` (windows and the prior one of each) to `compared`: the current windows, each with `columns` of the same
    cell in the prior window as prior_…. A window that is not loaded whole is not compared: 7 of 28 days would look like a
    fall. `cell`: as above.
    `rate`: the column whose change is told, with Newcombe's interval. A change is one of the same rate: not where
    `denominator`, the column that names its base, is another than before; and it is only as whole as both. -#}
{% macro compared_windows(cell, columns, rate=none, denominator=none) -%}
compared as (
    select
        rated.*,
        {%- for column in columns %}
        case when prior_window.days_loaded = prior_window.window_days then prior_window.{{ column }} end as prior_{{ column }},
        {%- endfor %}
        {%- if rate %}
        rated.{{ denominator }} = prior_window.{{ denominator }}
        and rated.status = 'measured'
        and prior_window.status = 'measured'
        and prior_window.days_loaded = prior_window.window_days as is_comparable,
        case when is_comparable then rated.{{ rate }} - prior_window.{{ rate }} end as {{ rate }}_change,
        case
            when is_comparable
                then {{ newcombe_low('rated.' ~ rate, 'rated.ci_low', 'prior_window.' ~ rate, 'prior_window.ci_high') }}
        end as change_ci_low,
        case
            when is_comparable
                then {{ newcombe_high('rated.' ~ rate, 'rated.ci_high', 'prior_window.' ~ rate, 'prior_window.ci_low') }}
        end as change_ci_high,
        prior_window.status as prior_status,
        prior_window.is_complete as is_prior_complete,
        {%- endif %}
        coalesce(prior_window.days_loaded, 0) as prior_days_loaded
    from rated
    left join rated as prior_window
        on {{ is_prior_window('rated', cell) }}
    where rated.is_current
)
{%- endmacro %}

{#- Select items: which window of which property. -#}
{% macro window_key() -%}
    property_id,
    window_name,
    window_start,
    window_end
{%- endmacro %}

{#- Select items: the same, and how many of its days are there. -#}
{% macro window_columns() -%}
    {{ window_key() }},
    window_days,
    days_loaded
{%- endmacro %}

{#- Select items over `compared`: the change of a rate, and how far it can be trusted. -#}
{% macro change_columns(rate) -%}
    prior_status,
    prior_days_loaded,
    {{ rate }}_change,
    change_ci_low,
    change_ci_high,
    is_prior_complete,
    {{ quality_columns() }}
{%- endmacro %}

{#- Select items: what speaks against a number. -#}
{% macro quality_columns() -%}
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
{%- endmacro %}
