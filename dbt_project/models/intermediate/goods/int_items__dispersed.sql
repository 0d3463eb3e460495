-- Units of an item on a day. Those of one session come together, so a day of one order of five units is unlike five days of one.
with days as {{ item_units(ref('int_items__daily')) }},

-- Of each item around its own rate: items differ, and that is no noise.
items as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        chain.key as numerator_key,
        chain.previous_step_key as denominator_key,
        reached.item_id,
        reached.item_name,
        count(*) as day_count,
        {{ pearson_chi2('reached.units', 'previous.units', 'true') }} as chi2
    from {{ ref('int_funnel__periods_listed') }} as periods
    inner join days as reached using (property_id, date)
    inner join {{ core_steps(var('item_counts')) }} as chain on reached.key = chain.key
    inner join days as previous using (property_id, date, item_id, item_name)
    where
        periods.window_name <> '1d'
        and previous.key = chain.previous_step_key
        and previous.units > 0
        and reached.units >= 0
    group by all
),

-- Of all items together, for one alone has too few days with anything.
pooled as (
    select
        property_id,
        window_name,
        window_end,
        numerator_key,
        denominator_key,
        sum(day_count - 1) as degrees,
        sum(try_cast(chi2 as decimal(30, 6))) as chi2
    from items
    where chi2 is not null and day_count > 1
    group by all
)

select
    *,
    {{ dispersion_of_chi2('cast(chi2 as double)', 'degrees') }} as phi,
    {{ widened_dispersion('phi', 'degrees + 1') }} as phi_wide
from pooled
