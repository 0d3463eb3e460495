-- Views of product pages that are far from the shop's own view_item events mean that the pattern names other pages.
{% set believable = 2 %}

with windows as (
    select
        property_id,
        window_name,
        window_days,
        window_start,
        window_end,
        events as product_views,
        is_complete,
        maturity
    from {{ ref('int_funnel__reach_summed') }}
    where is_current and segment_name = 'all' and key = 'product_view'
),

sums as (
    select
        windows.property_id,
        windows.window_name,
        {{ decimal_sum('pages.views') }} as views,
        {{ decimal_sum('pages.seconds') }} as seconds,
        {{ decimal_sum('pages.bounces') }} as bounces,
        count(*) as days_counted
    from windows
    inner join {{ ref('int_metrics__product_pages') }} as pages
        on windows.property_id = pages.property_id and pages.date between windows.window_start and windows.window_end
    group by windows.property_id, windows.window_name
)

select
    windows.*,
    sums.views,
    sums.seconds,
    sums.bounces,
    case
        when sums.views is null then 'no_product_pages'
        when sums.days_counted < windows.window_days then 'withheld'
        when windows.product_views is null then 'not_comparable'
        when sums.views not between windows.product_views / {{ believable }}.0 and windows.product_views * {{ believable }}
            then 'pages_do_not_match'
        else 'measured'
    end as status
from windows
left join sums on windows.property_id = sums.property_id and windows.window_name = sums.window_name
