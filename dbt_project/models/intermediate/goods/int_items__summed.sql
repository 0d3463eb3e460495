{% set counts = var('item_counts') %}

with reports as (
    select * from {{ ref('int_reports__windowed') }}
    where report = 'items'
),

-- A sum over a day without its number (restricted), or of two currencies, is no number.
sums as (
    {% call windowed_sums(ref('int_items__daily'), ['item_id', 'item_name']) %}
    {%- for key in counts %}
    {{ whole_sum('days.' ~ counts[key]) }} as {{ counts[key] }},
    {%- endfor %}
    {{ whole_money('days.item_revenue', 'days.currency', 'item_revenue') }}
    {% endcall %}
),

-- The items that were reported in the current window (the window before is read for the same ones).
cells as (
    select * exclude (window_end)
    from sums
    where is_current
)

-- No number where a day's report was never loaded, rather than one that is too low; 0 where all of them left the item out.
select
    reports.*,
    cells.item_id,
    cells.item_name,
    {%- for key in counts %}
    case
        when not reports.is_fully_loaded then null
        when sums.item_id is not null then sums.{{ counts[key] }}
        when not reports.is_doubtful and not reports.is_partial then 0
    end as {{ counts[key] }},
    {%- endfor %}
    case when reports.is_fully_loaded then sums.item_revenue end as item_revenue,
    case when reports.is_fully_loaded and sums.item_revenue is not null then sums.currency end as currency
from cells
inner join reports using (property_id, window_name, current_end)
left join sums using (property_id, window_name, window_end, item_id, item_name)
