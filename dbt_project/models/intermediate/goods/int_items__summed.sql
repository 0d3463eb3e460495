{% set counts = ['items_viewed', 'items_added_to_cart', 'items_checked_out', 'items_purchased'] %}

with reports as (
    select * from {{ ref('int_reports__windowed') }}
    where report = 'items'
),

-- A sum over a day without its number (restricted), or of two currencies, is no number.
sums as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        items.item_id,
        items.item_name,
        {%- for name in counts %}
        {{ whole_sum('items.' ~ name) }} as {{ name }},
        {%- endfor %}
        case
            when count(items.item_revenue) = count(*) and coalesce(min(items.currency) = max(items.currency), true)
                then {{ exact_sum('items.item_revenue') }}
        end as item_revenue,
        max(items.currency) as currency
    from {{ ref('int_funnel__periods_listed') }} as periods
    inner join {{ ref('int_items__daily') }} as items using (property_id, date)
    where periods.window_name <> '1d'
    group by all
),

-- The items that were reported in the current window (the window before is read for the same ones).
cells as (
    select
        property_id,
        window_name,
        current_end,
        item_id,
        item_name
    from sums
    where is_current
)

-- No number where a day's report was never loaded, rather than one that is too low; 0 where all of them left the item out.
select
    reports.*,
    cells.item_id,
    cells.item_name,
    {%- for name in counts %}
    case
        when not reports.is_fully_loaded then null
        when sums.item_id is not null then sums.{{ name }}
        when not reports.is_doubtful and not reports.is_partial then 0
    end as {{ name }},
    {%- endfor %}
    case when reports.is_fully_loaded then sums.item_revenue end as item_revenue,
    case when reports.is_fully_loaded and sums.item_revenue is not null then sums.currency end as currency
from cells
inner join reports using (property_id, window_name, current_end)
left join sums
    on
        cells.property_id = sums.property_id
        and cells.window_name = sums.window_name
        and cells.item_id = sums.item_id
        and cells.item_name = sums.item_name
        and reports.window_end = sums.window_end
