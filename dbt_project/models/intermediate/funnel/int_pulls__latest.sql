with pulls as (
    select
        pulls.* replace (coalesce(pulls.currency, properties.currency) as currency),
        properties.time_zone as property_time_zone
    from {{ ref('stg_ga4__pulls') }} as pulls
    inner join {{ ref('int_properties__active') }} as properties on pulls.property_id = properties.property_id
),

days as (
    select
        property_id,
        date,
        {{ maturity_limits('date', 'any_value(property_time_zone)') }}
    from pulls
    group by property_id, date
),

attempts as (
    select
        property_id,
        report,
        date,
        window_name,
        arg_max(pull_id, (pulled_at, pull_id)) filter (where status = 'loaded') as pull_id,
        arg_max(status, (pulled_at, pull_id)) as last_status,
        nullif(arg_max(coalesce(message, ''), (pulled_at, pull_id)), '') as last_message
    from pulls
    group by property_id, report, date, window_name
),

loaded as (
    select
        *,
        {{ totals_in_cents('totals') }} as sums
    from pulls
    where status = 'loaded'
),

-- A later pull of the same definition that brought other numbers than the one before it.
compared as (
    select
        *,
        lag(pull_id) over history is not null
        and (sums is distinct from lag(sums) over history or row_count is distinct from lag(row_count) over history)
            as is_restatement,
        first_value(sums) over history as first_sums,
        first_value(pulled_at) over history as first_pulled_at
    from loaded
    window history as (
        partition by property_id, report, date, window_name, report_version
        order by pulled_at, pull_id
    )
),

restated as (
    select
        property_id,
        report,
        date,
        window_name,
        count(*) filter (where is_restatement) as restatement_count,
        max(pulled_at) filter (where is_restatement) as last_restated_at
    from compared
    group by property_id, report, date, window_name
),

-- What the raw gate says against a day's numbers of a report (a `mark` of NULL only warns); windows it does not judge.
warned as (
    select
        property_id,
        report,
        date,
        '1d' as window_name,
        bool_or(mark = 'missing_rows') as is_missing_rows,
        bool_or(mark = 'low_volume') as is_low_volume,
        string_agg(expectation || ': ' || observed, '; ' order by expectation) as warnings
    from {{ source('ops', 'day_warnings') }}
    group by property_id, report, date
),

told as (
    select
        attempts.* exclude (pull_id),
        latest.pull_id is not null as is_loaded,
        latest.report_version,
        latest.row_count,
        coalesce(latest.is_sampled, false) as is_sampled,
        coalesce(latest.is_thresholded, false) as is_thresholded,
        coalesce(latest.has_other_row, false) as has_other_row,
        -- A row was folded, and nobody told how much of it: taken for too much.
        coalesce(latest.other_share, case when latest.has_other_row then 1 end, 0) > {{ var('max_other_share') }} as is_mostly_other,
        latest.other_share,
        latest.missing_share,
        coalesce(latest.missing_share > {{ var('max_missing_share') }}, false) or coalesce(warned.is_missing_rows, false)
            as has_missing_rows,
        -- As with (other): be it ever so little, what a report does not list is no zero.
        has_missing_rows or coalesce(latest.missing_share > 0, false) as is_lacking_rows,
        coalesce(warned.is_low_volume, false) as has_low_volume,
        warned.warnings,
        latest.left_out,
        latest.empty_reason,
        latest.restricted_metrics,
        latest.truncation,
        latest.route,
        latest.currency,
        latest.time_zone,
        -- Users are never added up: their sum only tells that something changed.
        case when map_keys(latest.sums)[1] not like '%users' then cast(map_values(latest.first_sums)[1] as double) end as first_total,
        case when map_keys(latest.sums)[1] not like '%users' then cast(map_values(latest.sums)[1] as double) end as last_total,
        coalesce(restated.restatement_count, 0) as restatement_count,
        restated.last_restated_at,
        {{ maturity('latest.pulled_at', 'days') }} as maturity,
        {{ maturity('latest.first_pulled_at', 'days') }} as first_maturity
    from attempts
    left join compared as latest using (property_id, report, date, window_name, pull_id)
    left join restated using (property_id, report, date, window_name)
    left join warned using (property_id, report, date, window_name)
    left join days using (property_id, date)
)

-- The one place that says what a pull's numbers are worth. Where only a metric may not be seen, the others may be whole.
select
    *,
    is_loaded
    and not (is_sampled or is_thresholded or is_mostly_other or truncation is not null or has_missing_rows or has_low_volume)
        as is_whole,
    is_whole and restricted_metrics is null as is_complete,
    is_sampled or restricted_metrics is not null as is_doubtful,
    is_thresholded or has_other_row or truncation is not null or is_lacking_rows or has_low_volume as is_partial,
    {{ flag_bits(
        'is_sampled', 'is_thresholded', 'has_other_row', 'restricted_metrics is not null', 'truncation is not null',
        'is_lacking_rows', 'has_low_volume', "route <> 'data_api'"
    ) }} as flag_bits
from told
