{{ config(materialized='view') }}

-- A report without a key or a parameter says nothing of it on that day, and so no sum over the day does.
select distinct
    periods.property_id,
    periods.window_name,
    periods.window_end,
    pulls.report,
    unnest(string_split(pulls.left_out, ',')) as name
from {{ ref('int_funnel__periods_listed') }} as periods
inner join {{ ref('int_pulls__latest') }} as pulls
    on periods.property_id = pulls.property_id and periods.date = pulls.date and pulls.window_name = '1d'
where pulls.left_out is not null
