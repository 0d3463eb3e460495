with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

-- The event itself, with and without the parameter: what the values are shares of.
events as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        events.event_name,
        {{ count_sum('events.sessions') }} as event_sessions,
        {{ count_sum('events.events') }} as event_count
    from periods
    inner join {{ ref('stg_ga4__events') }} as events using (property_id, date)
    where events.segment_name = 'all'
    group by all
),

sums as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        periods.current_end,
        periods.is_current,
        params.parameter,
        params.event_name,
        params.parameter_value,
        {{ whole_sum('params.sessions') }} as sessions,
        {{ whole_sum('params.events') }} as events
    from periods
    inner join {{ ref('stg_ga4__event_params') }} as params using (property_id, date)
    group by all
),

-- The values of the current window (the window before is read for the same ones).
cells as (
    select
        property_id,
        window_name,
        current_end,
        parameter,
        event_name,
        parameter_value
    from sums
    where is_current
),

-- A share rests on two reports. is_fully_reported: event_params left nothing out, so a missing value is a 0.
reports as (
    select
        params.property_id,
        params.window_name,
        params.window_days,
        params.window_start,
        params.window_end,
        params.current_end,
        params.is_current,
        params.days_loaded,
        params.is_fully_loaded and events.is_fully_loaded as is_readable,
        params.is_doubtful or events.is_doubtful as is_doubtful,
        not params.is_doubtful and not params.is_partial as is_fully_reported,
        params.is_complete and events.is_complete as is_complete,
        params.flag_bits | events.flag_bits as flag_bits,
        {{ worse_maturity('params.maturity', 'events.maturity') }} as maturity
    from {{ ref('int_reports__windowed') }} as params
    inner join {{ ref('int_reports__windowed') }} as events using (property_id, window_name, window_end)
    where params.report = 'event_params' and events.report = 'events_by_all'
),

dense as (
    select
        reports.* replace (reports.is_complete and left_out.name is null as is_complete),
        reports.is_readable and left_out.name is null as is_known,
        cells.parameter,
        cells.event_name,
        cells.parameter_value,
        case
            when not is_known then null
            when sums.parameter is not null then sums.sessions
            when reports.is_fully_reported then 0
        end as sessions,
        case
            when not is_known then null
            when sums.parameter is not null then sums.events
            when reports.is_fully_reported then 0
        end as events,
        case when is_known then events.event_sessions end as event_sessions,
        case when is_known then events.event_count end as event_count
    from cells
    inner join reports using (property_id, window_name, current_end)
    left join sums using (property_id, window_name, window_end, parameter, event_name, parameter_value)
    left join events using (property_id, window_name, window_end, event_name)
    left join {{ ref('int_pulls__left_out') }} as left_out
        on
            reports.property_id = left_out.property_id
            and reports.window_name = left_out.window_name
            and reports.window_end = left_out.window_end
            and left_out.report = 'event_params'
            and cells.parameter = left_out.name
),

judged as (
    select
        *,
        case
            when is_doubtful or sessions is null or event_sessions is null then 'withheld'
            when {{ is_sessionless_window('event_count', 'event_sessions') }} then 'sessionless'
            when event_sessions = 0 then 'no_denominator'
            when {{ is_beyond('sessions', 'event_sessions') }} then 'anomaly'
            else 'measured'
        end as status
    from dense
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
