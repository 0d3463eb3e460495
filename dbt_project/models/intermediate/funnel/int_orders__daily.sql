{{ config(materialized='view') }}

-- Counted by GA4 whether or not the order has a session; a repeated transaction id is one.
select
    property_id,
    date,
    segment_name,
    segment_value,
    'purchase' as key,
    transactions
from {{ ref('stg_ga4__sessions') }}
where transactions > 0
