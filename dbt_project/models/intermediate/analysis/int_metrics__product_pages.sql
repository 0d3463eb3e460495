{{ config(materialized='view') }}

-- A product page is known by its path alone (var product_page_pattern). Days of which the report of pages left something out
-- have no row: sums over pages would be too low. Sessions of pages overlap, so bounces are the pages' rates, weighted by views.
-- A page with views and no session (hits of a server) says nothing of bounces, and is left out of all three.
-- Amounts are decimals: a sum of doubles differs in its last digit from run to run.
select
    pages.property_id,
    pages.date,
    {{ decimal_sum('pages.screen_page_views') }} as views,
    {{ decimal_sum('pages.user_engagement_duration') }} as seconds,
    {{ decimal_sum('pages.screen_page_views * (1 - pages.engaged_sessions / cast(pages.sessions as double))') }} as bounces
from {{ ref('stg_ga4__pages') }} as pages
inner join {{ ref('int_pulls__latest') }} as pulls
    on pages.property_id = pulls.property_id and pages.date = pulls.date and pulls.report = 'pages' and pulls.window_name = '1d'
where
    regexp_matches(pages.page_path, '{{ var("product_page_pattern") }}')
    and pages.sessions > 0
    and pulls.is_complete
group by pages.property_id, pages.date
