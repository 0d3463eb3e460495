with judged as (
    select
        *,
        case
            when is_doubtful or sessions is null or event_sessions is null then 'withheld'
            when {{ is_sessionless_window('event_count', 'event_sessions') }} then 'sessionless'
            when event_sessions = 0 then 'no_denominator'
            when {{ is_beyond('sessions', 'event_sessions') }} then 'anomaly'
            else 'measured'
        end as status
    from {{ ref('int_event_parameters__summed') }}
),

rated as (
    select
        *,
        case when status not in ('withheld', 'sessionless') then {{ rate('sessions', 'event_sessions') }} end as share,
        case when status not in ('withheld', 'sessionless') then {{ wilson_low('sessions', 'event_sessions') }} end as ci_low,
        case when status not in ('withheld', 'sessionless') then {{ wilson_high('sessions', 'event_sessions') }} end as ci_high
    from judged
),

{{ compared_windows(
    cell=['parameter', 'event_name', 'parameter_value'], count='sessions', rate='share', denominator='event_name'
) }}

select
    property_id,
    window_name,
    window_start,
    window_end,
    window_days,
    days_loaded,
    parameter,
    event_name,
    parameter_value,
    parameter_value in ('(not set)', '') as is_not_set,
    'sessions' as unit,
    sessions,
    event_sessions,
    share,
    ci_low,
    ci_high,
    events,
    event_count,
    case when status <> 'withheld' then {{ rate('events', 'event_count') }} end as event_share,
    status,
    before_count as previous_sessions,
    before_rate as previous_share,
    before_status as previous_status,
    before_days_loaded as previous_days_loaded,
    {{ rate_change('share') }},
    is_complete,
    maturity,
    {{ flag_names('flag_bits') }} as flags
from compared
