{#- A window against the one before it: the same for every table of windows. -#}

{#- CTE from `rated` (windows and the one before each) to `compared`: the current windows, each with the same cell before
    it. A window that is not loaded whole is not compared: 7 of 28 days would look like a fall. A change is one of the
    same rate: not where the denominator is another than before.
    `cell`: the columns that name a row of a window; `count`, `rate`, `denominator`: what is compared, and its base. -#}
{% macro compared_windows(cell, count, rate, denominator) -%}
compared as (
    select
        rated.*,
        coalesce(before.days_loaded, 0) as before_days_loaded,
        coalesce(before.days_loaded = before.window_days, false) as is_before_whole,
        case when is_before_whole then before.{{ count }} end as before_count,
        case when is_before_whole then before.{{ rate }} end as before_rate,
        before.ci_low as before_ci_low,
        before.ci_high as before_ci_high,
        before.status as before_status,
        before.is_complete as is_before_complete,
        rated.{{ denominator }} = before.{{ denominator }}
        and rated.status = 'measured'
        and before.status = 'measured'
        and is_before_whole as is_comparable
    from rated
    left join rated as before
        on
            rated.property_id = before.property_id
            and rated.window_name = before.window_name
            and rated.window_start = before.window_end + 1
            {%- for column in cell %}
            and rated.{{ column }} = before.{{ column }}
            {%- endfor %}
    where rated.is_current
)
{%- endmacro %}

{#- Select items over `compared`: the change of a rate since the window before, with Newcombe's interval, and whether that
    window is complete: a change is only as whole as both. -#}
{% macro rate_change(rate) -%}
    case when is_comparable then {{ rate }} - before_rate end as {{ rate }}_change,
    case when is_comparable then {{ newcombe_low(rate, 'ci_low', 'before_rate', 'before_ci_high') }} end as change_ci_low,
    case when is_comparable then {{ newcombe_high(rate, 'ci_high', 'before_rate', 'before_ci_low') }} end as change_ci_high,
    is_before_complete as is_prior_complete
{%- endmacro %}
