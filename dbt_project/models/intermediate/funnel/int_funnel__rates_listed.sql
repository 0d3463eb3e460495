with chains as (
    select *
    from {{ ref('int_funnel__steps_chained') }}
    where window_name <> '1d'
),

windows as (
    select distinct
        property_id,
        window_name,
        window_end
    from chains
),

-- Steps over the step before them, as the chain was joined in each window; keys over their parents; benchmarks; carts.
pairs as (
    select
        property_id,
        window_name,
        window_end,
        step_key as numerator_key,
        previous_step_key as denominator_key
    from chains
    where previous_step_key is not null
    union
    select
        windows.property_id,
        windows.window_name,
        windows.window_end,
        plan.key as numerator_key,
        plan.parent_key as denominator_key
    from windows
    cross join {{ ref('int_plan__resolved') }} as plan
    where plan.parent_key is not null and plan.parent_key <> '@previous'
    union
    select
        windows.property_id,
        windows.window_name,
        windows.window_end,
        benchmarks.numerator as numerator_key,
        benchmarks.denominator as denominator_key
    from windows
    cross join {{ ref('int_benchmarks__resolved') }} as benchmarks
    union
    select
        windows.property_id,
        windows.window_name,
        windows.window_end,
        'purchase' as numerator_key,
        'add_to_cart' as denominator_key
    from windows
)

select * from pairs
