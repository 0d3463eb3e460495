{{ config(materialized='view') }}

-- A report without a key or a parameter says nothing of it: what was stored of it before is no whole sum any more.
select
    property_id,
    report,
    date,
    unnest(string_split(left_out, ',')) as name
from {{ ref('int_pulls__latest') }}
where window_name = '1d' and left_out is not null
