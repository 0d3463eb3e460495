with periods as (
    select * from {{ ref('int_funnel__periods_listed') }}
    where window_name <> '1d'
),

-- A sum over a day without its number (restricted), or of two currencies, is no number.
sums as (
    {% call windowed_sums(ref('int_funnel__reach_daily'), ['segment_name', 'segment_value', 'key']) %}
    {{ whole_sum('days.sessions') }} as sessions,
    {{ whole_sum('days.events') }} as events,
    sum(days.transactions) as transactions,
    {{ whole_money('days.revenue', 'days.currency', 'revenue') }}
    {% endcall %}
),

reports as (
    select
        periods.property_id,
        periods.window_name,
        periods.window_end,
        flags.segment_name,
        flags.is_composite,
        bool_or(flags.is_doubtful) as is_doubtful,
        bool_and(flags.is_loaded) as is_fully_loaded,
        bool_and(flags.is_loaded and not flags.is_partial) as is_fully_reported,
        bool_and(flags.is_complete) and count(*) = any_value(periods.window_days) as is_complete,
        bit_or(flags.flag_bits) as flag_bits,
        {{ worst_maturity('flags.maturity') }} as maturity
    from periods
    inner join {{ ref('int_funnel__reports_assessed') }} as flags using (property_id, date)
    group by all
),

-- The segment values that had sessions in the current window (the window before is read for the same ones).
cells as (
    select
        property_id,
        window_name,
        current_end,
        segment_name,
        segment_value
    from sums
    where is_current
    union
    select
        property_id,
        window_name,
        current_end,
        'all' as segment_name,
        'all' as segment_value
    from periods
),

dense as (
    select
        keys.*,
        cells.segment_name,
        cells.segment_value,
        -- Days of a report that was never loaded are missing from the sum: no number, rather than one that is too low.
        case when reports.is_fully_loaded and left_out.name is null then sums.sessions end as sessions,
        case when reports.is_fully_loaded and left_out.name is null then sums.events end as events,
        sums.transactions,
        case when reports.is_fully_loaded then sums.revenue end as revenue,
        case when reports.is_fully_loaded and sums.revenue is not null then sums.currency end as currency,
        {{ is_real_zero(
            'sums.key is null', 'keys.tracking_state', 'reports.is_doubtful', '(reports.is_fully_reported and left_out.name is null)'
        ) }} as is_zero,
        reports.is_doubtful,
        reports.is_complete and (left_out.name is null or sums.key is null) as is_complete,
        reports.maturity,
        reports.flag_bits
    from {{ ref('int_funnel__keys_assessed') }} as keys
    inner join {{ ref('int_plan__resolved') }} as plan using (key)
    inner join cells using (property_id, window_name, current_end)
    inner join reports using (property_id, window_name, window_end, segment_name, is_composite)
    left join sums using (property_id, window_name, window_end, segment_name, segment_value, key)
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('keys', "'micro_by_' || cells.segment_name", 'keys.key') }}
)

select
    * exclude (sessions, events, transactions, tracking_state, tag_state, is_zero, is_doubtful),
    {{ filled_counts(is_sessionless_window('events', 'sessions', 'transactions')) }}
from dense
