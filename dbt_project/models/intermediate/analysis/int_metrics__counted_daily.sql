{{ config(materialized='view') }}

-- A product page is known by its path alone (var product_page_pattern): GA4 tells no sessions with view_item by page here.
-- Amounts are decimals: a sum of doubles differs in its last digit from run to run.
-- Days of which the report of pages left something out have no row: sums over pages would be too low.
with product_pages as (
    select
        pages.property_id,
        pages.date,
        sum(pages.screen_page_views) as views,
        sum(cast(pages.user_engagement_duration as decimal(18, 3))) as seconds,
        sum(pages.sessions) as visits,
        sum(pages.sessions - pages.engaged_sessions) as bounces
    from {{ ref('stg_ga4__pages') }} as pages
    inner join {{ ref('int_pulls__latest') }} as pulls
        on pages.property_id = pulls.property_id and pages.date = pulls.date and pulls.report = 'pages' and pulls.window_name = '1d'
    where
        regexp_matches(pages.page_path, '{{ var("product_page_pattern") }}')
        and pulls.is_loaded
        and not pulls.is_sampled
        and not pulls.is_thresholded
        and not pulls.is_mostly_other
        and pulls.restricted_metrics is null
        and pulls.truncation is null
    group by pages.property_id, pages.date
)

select
    days.property_id,
    days.date,
    days.segment_name,
    days.segment_value,
    days.key,
    cast(days.sessions as decimal(18, 3)) as amount
from {{ ref('int_funnel__days_filled') }} as days
inner join {{ ref('segments') }} as segments on days.segment_name = segments.segment_name
where days.tracking_state = 'tracked' and segments.is_partition
{%- for key in ['views', 'seconds', 'visits', 'bounces'] %}
union all
select
    property_id,
    date,
    'all' as segment_name,
    'all' as segment_value,
    'product_page_{{ key }}' as key,
    cast({{ key }} as decimal(18, 3)) as amount
from product_pages
{%- endfor %}
