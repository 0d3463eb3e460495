with dates as (
    select
        property_id,
        min(date) as first_date,
        max(date) as last_date,
        cast(count(distinct date) as integer) as days_loaded
    from {{ ref('int_funnel__periods_listed') }}
    group by property_id
)

select
    properties.property_id,
    properties.property_name,
    properties.property_source,
    properties.same_shop_as,
    properties.time_zone,
    properties.currency,
    properties.store_name,
    properties.industry,
    properties.region,
    dates.first_date,
    dates.last_date,
    coalesce(dates.days_loaded, 0) as days_loaded
from {{ ref('int_properties__active') }} as properties
left join dates on properties.property_id = dates.property_id
