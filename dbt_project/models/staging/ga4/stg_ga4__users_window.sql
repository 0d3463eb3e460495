-- The newest complete month may have ended up to 31 days before a night's own window.
{% set reach_back = 31 %}
{{ config(
    materialized='incremental', incremental_strategy='append', on_schema_change='fail',
    pre_hook='{{ delete_window(reach_back=' ~ reach_back ~ ') }}'
) }}

select
    property_id,
    window_name,
    window_start,
    date,
    event_name,
    device_category,
    cast(total_users as bigint) as total_users,
    cast(active_users as bigint) as active_users,
    pulled_at,
    pull_id
from {{ source('raw', 'ga4_users_window') }}
where {{ in_window(reach_back=reach_back) }}
