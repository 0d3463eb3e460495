with counted as (
    select
        *,
        sum(clicks) over (partition by {{ map_columns() }}) as all_clicks,
        period_end = max(period_end) over map as is_newest_end,
        period_start = max(period_start) over (partition by property_id, tool, page_path, device, period_end) as is_shortest
    from {{ ref('stg_heatmaps__clicks') }}
    window map as (partition by property_id, tool, page_path, device)
)

select
    {{ map_columns() }},
    is_newest_end and is_shortest as is_newest,
    cast(row_number() over (
        partition by {{ map_columns() }}
        order by clicks desc, element asc, element_text asc
    ) as integer) as click_rank,
    element,
    element_text,
    regexp_matches(concat_ws(' ', element, element_text), '{{ var("add_to_cart_pattern") }}', 'i') as is_add_to_cart,
    clicks,
    try_cast(all_clicks as bigint) as all_clicks,
    {{ rate('clicks', 'all_clicks') }} as click_share
from counted
