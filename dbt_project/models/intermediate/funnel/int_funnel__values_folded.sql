{{ config(materialized='view') }}

-- GA4 put rare values into one row: what it holds is missing from the values of the segment, or from the events.
with rows_of_other as (
    select
        property_id,
        date,
        segment_name,
        true as is_segment
    from {{ ref('stg_ga4__sessions') }}
    where segment_value = '(other)'
    union all
    select
        property_id,
        date,
        segment_name,
        segment_value = '(other)' as is_segment
    from {{ ref('stg_ga4__events') }}
    where segment_value = '(other)' or event_name = '(other)'
    union all
    select
        property_id,
        date,
        segment_name,
        true as is_segment
    from {{ ref('stg_ga4__micro_conversions') }}
    where segment_value = '(other)'
)

select
    property_id,
    date,
    segment_name,
    bool_or(is_segment) as is_segment_folded
from rows_of_other
group by property_id, date, segment_name
