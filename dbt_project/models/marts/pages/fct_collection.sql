with rated as (
    select
        *,
        case when tracking_state = 'tracked' then {{ rate('items_clicked', 'items_viewed') }} end as click_through_rate,
        case when tracking_state = 'tracked' then {{ wilson_low('items_clicked', 'items_viewed') }} end as ci_low,
        case when tracking_state = 'tracked' then {{ wilson_high('items_clicked', 'items_viewed') }} end as ci_high,
        case
            when tracking_state <> 'tracked' then tracking_state
            when items_viewed = 0 then 'no_denominator'
            when {{ is_beyond('items_clicked', 'items_viewed') }} then 'anomaly'
            else 'measured'
        end as status
    from {{ ref('int_lists__summed') }}
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
