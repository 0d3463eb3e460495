with rated as (
    select
        *,
        case when tracking_state = 'tracked' then {{ rate('items_clicked', 'items_viewed') }} end as click_through_rate,
        case when tracking_state = 'tracked' then {{ wilson_low('items_clicked', 'items_viewed') }} end as ci_low,
        case when tracking_state = 'tracked' then {{ wilson_high('items_clicked', 'items_viewed') }} end as ci_high,
        case
            when tracking_state <> 'tracked' then tracking_state
            when items_viewed = 0 then 'no_denominator'
            when items_clicked > items_viewed then 'anomaly'
            else 'measured'
        end as status
    from {{ ref('int_lists__summed') }}
)

select
    lists.property_id,
    lists.window_name,
    lists.window_start,
    lists.window_end,
    lists.window_days,
    lists.days_loaded,
    lists.item_list_name,
    'items' as unit,
    lists.items_viewed,
    lists.items_clicked,
    lists.click_through_rate,
    lists.ci_low,
    lists.ci_high,
    lists.status,
    lists.tracking_state,
    before.items_viewed as previous_items_viewed,
    before.items_clicked as previous_items_clicked,
    before.click_through_rate as previous_click_through_rate,
    before.status as previous_status,
    coalesce(before.days_loaded, 0) as previous_days_loaded,
    lists.is_complete,
    lists.maturity,
    {{ flag_names('lists.flag_bits') }} as flags
from rated as lists
left join rated as before
    on
        lists.property_id = before.property_id
        and lists.window_name = before.window_name
        and lists.current_end = before.current_end
        and lists.item_list_name = before.item_list_name
        and not before.is_current
where lists.is_current
