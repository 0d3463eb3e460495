{{ config(materialized='view') }}

select
    items.*,
    pulls.currency,
    pulls.is_sampled,
    pulls.is_complete,
    pulls.flag_bits,
    pulls.maturity
from {{ ref('stg_ga4__items') }} as items
inner join {{ ref('int_pulls__latest') }} as pulls
    on items.property_id = pulls.property_id and items.date = pulls.date and pulls.report = 'items' and pulls.window_name = '1d'
