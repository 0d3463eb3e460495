with unpivoted as {{ item_units(ref('int_items__summed')) }},

-- 0 units of a step whose tag is missing is no number.
reach as (
    select
        items.property_id,
        items.window_name,
        items.window_end,
        items.item_id,
        items.item_name,
        items.item_revenue,
        items.currency,
        items.key,
        case when {{ item_state('keys.tag_state') }} = 'tracked' then items.units else nullif(items.units, 0) end as sessions,
        {{ with_withheld(
            item_state('keys.tag_state'), 'items.is_doubtful or items.units is null', 'false', 'items.units'
        ) }} as tracking_state,
        items.is_complete,
        items.maturity,
        items.flag_bits
    from unpivoted as items
    inner join {{ ref('int_funnel__keys_assessed') }} as keys using (property_id, window_name, window_end, key)
),

steps as (
    select
        reports.property_id,
        reports.window_name,
        reports.window_days,
        reports.window_start,
        reports.window_end,
        reports.is_current,
        reports.days_loaded,
        'core' as funnel,
        chain.step_number,
        chain.key as step_key,
        chain.step_label,
        true as is_in_chain,
        chain.previous_step_key
    from {{ ref('int_reports__windowed') }} as reports
    cross join {{ core_steps(var('item_counts')) }} as chain
    where reports.report = 'items'
),

{{ rated_steps(period=['window_name', 'window_end'], cell=['item_id', 'item_name', 'item_revenue', 'currency']) }},

{{ compared_windows(
    cell=['item_id', 'item_name', 'step_key'], columns=['reached', 'step_rate'],
    rate='step_rate', denominator='previous_step_key'
) }},

scored as (
    select
        compared.*,
        case when compared.step_rate is not null then scores.shop_rate end as shop_rate,
        case when compared.step_rate is not null then scores.p_value end as p_value,
        case when compared.step_rate is not null then scores.q_value end as q_value,
        case when compared.step_rate is not null then scores.shrunk_rate end as shrunk_rate
    from compared
    left join {{ ref('int_items__scored') }} as scores using (property_id, window_name, item_id, item_name, step_key)
)

select
    {{ window_columns() }},
    item_id,
    item_name,
    item_id in ('(not set)', '') or item_name in ('(not set)', '') as is_not_set,
    {{ step_names() }},
    'items' as unit,
    'open' as funnel_type,
    reached as units,
    previous_reached as previous_units,
    step_rate,
    cumulative_rate,
    ci_low,
    ci_high,
    phi,
    n_eff,
    {{ cast_to('double', 'shop_rate', 'shrunk_rate', 'p_value', 'q_value') }},
    lost,
    status,
    tracking_state,
    case when step_key = 'purchase' then item_revenue end as item_revenue,
    case when step_key = 'purchase' then currency end as currency,
    prior_reached as prior_units,
    prior_step_rate,
    {{ change_columns('step_rate') }}
from scored
