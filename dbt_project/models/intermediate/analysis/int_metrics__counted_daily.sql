{{ config(materialized='view') }}

select
    days.property_id,
    days.date,
    days.segment_name,
    days.segment_value,
    days.key,
    try_cast(days.sessions as decimal(38, 6)) as amount
from {{ ref('int_funnel__days_filled') }} as days
inner join {{ ref('segments') }} as segments on days.segment_name = segments.segment_name
where days.tracking_state = 'tracked' and segments.is_partition
{%- for key in ['views', 'seconds', 'bounces'] %}
union all
select
    property_id,
    date,
    'all' as segment_name,
    'all' as segment_value,
    'product_page_{{ key }}' as key,
    {{ key }} as amount
from {{ ref('int_metrics__product_pages') }}
{%- endfor %}
