-- The event itself, with and without the parameter: what the values are shares of.
with events as (
    {% call windowed_sums(ref('stg_ga4__events'), ['event_name'], "days.segment_name = 'all'") %}
    {{ count_sum('days.sessions') }} as event_sessions,
    {{ count_sum('days.events') }} as event_count
    {% endcall %}
),

sums as (
    {% call windowed_sums(ref('stg_ga4__event_params'), ['parameter', 'event_name', 'parameter_value']) %}
    {{ whole_sum('days.sessions') }} as sessions,
    {{ whole_sum('days.events') }} as events
    {% endcall %}
),

-- The values of the current window (the window before is read for the same ones).
cells as (
    select * exclude (window_end)
    from sums
    where is_current
),

parameter_values as (
    select distinct
        property_id,
        parameter,
        event_name,
        parameter_value
    from cells
),

periods as (
    select *
    from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

-- Every day of the event in a window, those without the value too.
days as (
    select
        events.property_id,
        events.date,
        parameter_values.parameter,
        parameter_values.event_name,
        parameter_values.parameter_value,
        coalesce(params.sessions, 0) as sessions,
        events.sessions as event_sessions
    from parameter_values
    inner join {{ ref('stg_ga4__events') }} as events using (property_id, event_name)
    semi join periods using (property_id, date)
    left join {{ ref('stg_ga4__event_params') }} as params
        using (property_id, date, parameter, event_name, parameter_value)
    where events.segment_name = 'all'
),

noise as (
    {% call windowed_sums('days', ['parameter', 'event_name', 'parameter_value']) %}
    {{ widened_overdispersion('days.sessions', 'days.event_sessions') }} as phi
    {% endcall %}
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
        case when is_known then events.event_count end as event_count,
        case when is_known then coalesce(noise.phi, 1) end as phi
    from cells
    inner join reports using (property_id, window_name, current_end)
    left join sums using (property_id, window_name, window_end, parameter, event_name, parameter_value)
    left join events using (property_id, window_name, window_end, event_name)
    left join noise using (property_id, window_name, window_end, parameter, event_name, parameter_value)
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('reports', "'event_params'", 'cells.parameter') }}
),

judged as (
    select
        *,
        case
            when is_doubtful or sessions is null or event_sessions is null then 'withheld'
            when {{ is_sessionless_window('event_count', 'event_sessions') }} then 'sessionless'
            else 'tracked'
        end as tracking_state
    from dense
),

rated as (
    select
        *,
        {{ effective_trials('sessions', 'event_sessions', phi='phi') }} as n_eff,
        {{ rate_with_interval('share', "tracking_state = 'tracked'", 'sessions', 'event_sessions', 'n_eff') }},
        {{ rate_status('tracking_state', 'sessions', 'event_sessions') }} as status
    from judged
),

{{ compared_windows(
    cell=['parameter', 'event_name', 'parameter_value'], columns=['sessions', 'share'],
    rate='share', denominator='event_name'
) }}

select
    {{ window_columns() }},
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
    phi,
    n_eff,
    events,
    event_count,
    case when status <> 'withheld' then {{ rate('events', 'event_count') }} end as event_share,
    status,
    prior_sessions,
    prior_share,
    {{ change_columns('share') }}
from compared
