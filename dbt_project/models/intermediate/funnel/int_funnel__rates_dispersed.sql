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

-- Every rate that anything downstream shows: steps over the step before them, as the chain was joined in each window; keys over
-- their parents; benchmarks; carts.
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
),

periods as (
    select *
    from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

-- Of all stored days, those of the windows.
filled as (
    select days_filled.*
    from {{ ref('int_funnel__days_filled') }} as days_filled
    semi join periods using (property_id, date)
),

days as (
    select
        listed.property_id,
        listed.window_name,
        listed.window_end,
        segment_name,
        segment_value,
        listed.numerator_key,
        listed.denominator_key,
        numerator_row.sessions as numerator,
        denominator_row.sessions as denominator
    from pairs as listed
    inner join periods using (property_id, window_name, window_end)
    inner join filled as numerator_row using (property_id, date)
    inner join filled as denominator_row using (property_id, date, segment_name, segment_value)
    where listed.numerator_key = numerator_row.key and listed.denominator_key = denominator_row.key
),

dispersed as (
    select
        property_id,
        window_name,
        window_end,
        segment_name,
        segment_value,
        numerator_key,
        denominator_key,
        count(*) as day_count,
        {{ overdispersion('numerator', 'denominator') }} as phi
    from days
    where {{ is_varying_day('numerator', 'denominator') }}
    group by all
)

select
    *,
    {{ widened_dispersion('phi', 'day_count') }} as phi_wide
from dispersed
