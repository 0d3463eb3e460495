-- What a list showed and what was clicked in it are the shop's tags for lists and their products.
with tags as (
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
    {% call windowed_sums(ref('stg_ga4__item_lists'), ['item_list_name']) %}
    {{ whole_sum('days.items_viewed_in_list') }} as items_viewed,
    {{ whole_sum('days.items_clicked_in_list') }} as items_clicked
    {% endcall %}
),

-- The lists of the current window (the window before is read for the same ones).
cells as (
    select * exclude (window_end)
    from sums
    where is_current
),

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
    inner join cells using (property_id, window_name, current_end)
    left join tags using (property_id, window_name, window_end)
    left join sums using (property_id, window_name, window_end, item_list_name)
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
        {{ rate_with_interval('click_through_rate', "tracking_state = 'tracked'", 'items_clicked', 'items_viewed') }},
        {{ rate_status('tracking_state', 'items_clicked', 'items_viewed') }} as status
    from counted
),

{{ compared_windows(
    cell=['item_list_name'], columns=['items_viewed', 'click_through_rate'], rate='click_through_rate', denominator='item_list_name'
) }}

select
    {{ window_columns() }},
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
    prior_items_viewed,
    prior_click_through_rate,
    {{ change_columns('click_through_rate') }}
from compared
