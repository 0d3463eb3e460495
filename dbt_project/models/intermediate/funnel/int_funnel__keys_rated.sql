with reach as (
    select * from {{ ref('int_funnel__reach_summed') }}
),

chain as (
    select
        property_id,
        window_name,
        window_end,
        step_key,
        previous_step_key
    from {{ ref('int_funnel__steps_chained') }}
    where funnel = 'extended'
),

{{ rated_keys(period=['window_name', 'window_end']) }}

select * from rated
