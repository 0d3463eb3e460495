{% set z = 1.959963984540054 %}
{%- set other_low = wilson_low('other_add_users', 'other_users', unit='users', exact=is_exact('flag_bits')) %}
{%- set other_high = wilson_high('other_add_users', 'other_users', unit='users', exact=is_exact('flag_bits')) %}

with split as (
    select
        *,
        {{ count_difference('view_users', 'did_users') }} as other_users,
        {{ count_difference('view_add_users', 'did_add_users') }} as other_add_users
    from {{ ref('int_closed__lifts_counted') }}
),

judged as (
    select
        *,
        case
            when tracking_state <> 'tracked' then tracking_state
            when did_users = 0 or other_users = 0 then 'no_denominator'
            when {{ is_beyond('did_add_users', 'did_users') }} or {{ is_beyond('other_add_users', 'other_users') }} then 'anomaly'
            when did_add_users = 0 or other_add_users = 0 then 'zero_cell'
            else 'measured'
        end as status
    from split
),

rated as (
    select
        *,
        tracking_state = 'tracked' as is_shown,
        {{ rate('did_add_users', 'did_users') }} as did_rate,
        {{ rate('other_add_users', 'other_users') }} as other_rate,
        case when status = 'measured' then sqrt((1 - did_rate) / did_add_users + (1 - other_rate) / other_add_users) end as se_ln_lift
    from judged
)

select
    property_id,
    window_name,
    window_start,
    window_end,
    is_current,
    segment_name,
    segment_value,
    key,
    'users' as unit,
    view_users,
    view_add_users,
    did_users,
    did_add_users,
    {{ rate_with_interval('did_rate', 'is_shown', 'did_add_users', 'did_users', unit='users', exact=is_exact('flag_bits'), ci='did_') }},
    case when is_shown then other_users end as other_users,
    case when is_shown then other_add_users end as other_add_users,
    case when is_shown then other_rate end as other_rate,
    case when is_shown and other_add_users >= 0 then {{ other_low }} end as other_ci_low,
    case when is_shown and other_add_users >= 0 then {{ other_high }} end as other_ci_high,
    case when status = 'measured' then did_rate / other_rate end as lift,
    case when status = 'measured' then exp(ln(did_rate / other_rate) - {{ z }} * se_ln_lift) end as lift_ci_low,
    case when status = 'measured' then exp(ln(did_rate / other_rate) + {{ z }} * se_ln_lift) end as lift_ci_high,
    se_ln_lift,
    'association' as interpretation,
    status,
    tracking_state,
    {{ quality_columns() }}
from rated
