with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

-- What a list showed and what was clicked in it are the shop's tags for lists and their products.
tags as (
    select
        lists.property_id,
        lists.window_name,
        lists.window_end,
        {{ item_state('lists.tracking_state') }} as list_state,
        {{ item_state('clicks.tracking_state') }} as click_state
    from {{ ref('int_funnel__keys_assessed') }} as lists
    inner join {{ ref('int_funnel__keys_assessed') }} as clicks using (property_id, window_name, window_end)
    where lists.key = 'list_view' and clicks.key = 'product_click'
),

sums as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        lists.item_list_name,
        {{ whole_sum('lists.items_viewed_in_list') }} as items_viewed,
        {{ whole_sum('lists.items_clicked_in_list') }} as items_clicked
    from periods
    inner join {{ ref('stg_ga4__item_lists') }} as lists using (property_id, date)
    group by all
),

-- The lists of the current window (the window before is read for the same ones).
dense as (
    select
        reports.*,
        cells.item_list_name,
        sums.items_viewed,
        sums.items_clicked,
        sums.item_list_name is null and reports.is_fully_loaded and not reports.is_doubtful and not reports.is_partial as is_zero,
        coalesce({{ rate_state('tags.click_state', 'tags.list_state') }}, 'not_tracked') as tag_state,
        coalesce(tags.click_state = 'tracked', false) as has_clicks
    from {{ ref('int_reports__windowed') }} as reports
    inner join sums as cells
        on
            reports.property_id = cells.property_id
            and reports.window_name = cells.window_name
            and reports.current_end = cells.current_end
            and cells.is_current
    left join tags
        on
            reports.property_id = tags.property_id
            and reports.window_name = tags.window_name
            and reports.window_end = tags.window_end
    left join sums
        on
            reports.property_id = sums.property_id
            and reports.window_name = sums.window_name
            and reports.window_end = sums.window_end
            and cells.item_list_name = sums.item_list_name
    where reports.report = 'item_lists'
),

-- GA4 counts 0 clicks for a shop that sends none: no number, unless clicks are tracked.
counted as (
    select
        * exclude (report, items_viewed, items_clicked, is_zero, tag_state, has_clicks),
        case when is_zero then 0 when is_fully_loaded then items_viewed end as items_viewed,
        case
            when is_zero and has_clicks then 0
            when is_fully_loaded and (has_clicks or items_clicked > 0) then items_clicked
        end as items_clicked,
        case
            when tag_state = 'tracked' and not is_zero and (is_doubtful or not is_fully_loaded or items_viewed is null) then 'withheld'
            else tag_state
        end as tracking_state
    from dense
),

rated as (
    select
        *,
        case when tracking_state = 'tracked' then {{ rate('items_clicked', 'items_viewed') }} end as click_through_rate,
        case when tracking_state = 'tracked' then {{ wilson_low('items_clicked', 'items_viewed') }} end as ci_low,
        case when tracking_state = 'tracked' then {{ wilson_high('items_clicked', 'items_viewed') }} end as ci_high,
        {{ rate_status('tracking_state', 'items_clicked', 'items_viewed') }} as status
    from counted
),

{{ compared_windows(cell=['item_list_name'], count='items_viewed', rate='click_through_rate', denominator='item_list_name') }}

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
    item_list_name,
    item_list_name in ('(not set)', '') as is_not_set,
    'items' as unit,
    items_viewed,
    items_clicked,
    click_through_rate,
    ci_low,
    ci_high,
    status,
    tracking_state,
    before_count as previous_items_viewed,
    before_rate as previous_click_through_rate,
    before_status as previous_status,
    before_days_loaded as previous_days_loaded,
    {{ rate_change('click_through_rate') }},
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
