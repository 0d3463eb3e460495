with rated as (
    select * from {{ ref('int_items__steps_rated') }}
),

{{ compared_windows(
    cell=['item_id', 'item_name', 'step_key'], count='units', rate='step_rate', denominator='previous_step_key'
) }}

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
    item_id,
    item_name,
    item_id in ('(not set)', '') or item_name in ('(not set)', '') as is_not_set,
    step_number,
    step_key,
    step_label,
    previous_step_key,
    'items' as unit,
    'open' as funnel_type,
    units,
    previous_units,
    step_rate,
    cumulative_rate,
    ci_low,
    ci_high,
    lost,
    status,
    tracking_state,
    case when step_key = 'purchase' then item_revenue end as item_revenue,
    case when step_key = 'purchase' then currency end as currency,
    before_count as previous_window_units,
    before_rate as previous_step_rate,
    before_status as previous_status,
    before_days_loaded as previous_days_loaded,
    {{ rate_change('step_rate') }},
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
