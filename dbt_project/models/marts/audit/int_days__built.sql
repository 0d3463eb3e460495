{{ config(schema='intermediate') }}

-- What the tables by day were built from; written after the last of them, so that a night which ended early is made up
-- for by the next one.
-- depends_on: {{ ref('fct_cell_funnel') }}
-- depends_on: {{ ref('fct_funnel_daily') }}
-- depends_on: {{ ref('fct_micro_conversion_daily') }}
-- depends_on: {{ ref('fct_product_funnel') }}
-- depends_on: {{ ref('fct_sales_daily') }}

select
    days.property_id,
    days.date,
    days.version
from {{ ref('int_days__versioned') }} as days
where not {{ is_blocked('days') }}
union all
select
    built.property_id,
    built.date,
    built.version
from ({{ days_built() }}) as built
where {{ is_blocked('built') }}
