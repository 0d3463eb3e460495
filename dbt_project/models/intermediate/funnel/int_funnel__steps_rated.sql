with steps as (
    select *
    from {{ ref('int_funnel__steps_chained') }}
    where window_name <> '1d'
),

reach as (
    select * from {{ ref('int_funnel__reach_summed') }}
),

{{ rated_steps(period=['window_name', 'window_end']) }}

select * from rated
