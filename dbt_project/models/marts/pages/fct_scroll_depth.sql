{% set scrolls = ref('stg_heatmaps__scrolls') -%}
-- GA4's own event comes at 90 % of a page; a key of the plan that asks for another depth counts where more came so far.
with depths as (
    select
        key,
        cast(regexp_extract(parameter_filter, 'percent_scrolled>=(\d+)', 1) as double) as depth_percent
    from {{ ref('int_plan__resolved') }}
    where parameter_filter like '%percent_scrolled>=%'
),

pages as (
    select *
    from {{ ref('int_pages__summed') }}
    where is_current and window_name = '28d' and scroll_sessions is not null and sessions > 0
),

scrolled as (
    select
        *,
        90.0 as depth_percent,
        scroll_sessions as reached
    from pages
    union all by name
    select
        pages.*,
        max(depths.depth_percent) as depth_percent,
        keys.sessions as reached
    from pages
    inner join {{ ref('int_pages__keys_summed') }} as keys using (property_id, window_name, window_end, page_path)
    inner join depths on keys.key = depths.key
    where keys.tracking_state = 'tracked' and keys.sessions > pages.scroll_sessions and depths.depth_percent < 90
    group by all
),

told as (
    select
        property_id,
        'ga4' as tool,
        page_path,
        'all' as device,
        window_start as period_start,
        window_end as period_end,
        depth_percent,
        'sessions' as unit,
        reached,
        sessions as entered,
        cast(null as double) as share
    from scrolled
    {%- if is_built(scrolls) %}
    union all by name
    select
        {{ map_columns() }},
        depth_percent,
        'visitors' as unit,
        visitors as reached,
        all_visitors as entered,
        share
    from {{ scrolls }}
    {%- endif %}
)

select
    {{ map_columns() }},
    depth_percent,
    unit,
    reached,
    entered,
    coalesce(share, {{ rate('reached', 'entered') }}) as scroll_share
from told
