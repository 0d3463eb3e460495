with {{ days_to_build() }},

counted as {{ rows_of_days(ref('stg_ga4__cells')) }},

-- The cells that had a session or an event on the date.
cells as (
    select distinct * exclude (key, sessions, events)
    from counted
),

-- GA4 put rare values into one row: what it holds is missing from the cells.
told as (
    select
        property_id,
        date,
        report,
        bool_or('(other)' in (device, channel, visitor, country)) as is_folded
    from cells
    group by all
),

reports as (
    select
        pulls.property_id,
        pulls.date,
        pulls.report,
        pulls.is_doubtful,
        pulls.is_loaded and not (pulls.is_partial or told.is_folded) as is_full,
        pulls.is_complete and not told.is_folded as is_complete,
        pulls.maturity,
        pulls.flag_bits | {{ flag_bits(other='told.is_folded') }} as flag_bits
    from {{ ref('int_pulls__latest') }} as pulls
    inner join told using (property_id, date, report)
    where pulls.window_name = '1d'
),

-- The steps that are tracked on the date; the neighbours of any other are joined directly.
chain as (
    select
        keys.property_id,
        keys.window_end as date,
        keys.tracking_state,
        steps.step_number,
        steps.key,
        steps.label as step_label,
        lag(steps.key) over (
            partition by keys.property_id, keys.window_end
            order by steps.step_number
        ) as previous_step_key
    from {{ ref('int_funnel__keys_assessed') }} as keys
    inner join {{ ref('funnel_steps') }} as steps on keys.key = steps.key and steps.funnel = 'core'
    where keys.window_name = '1d' and keys.tracking_state = 'tracked'
),

dense as (
    select
        cells.* exclude (report),
        chain.step_number,
        chain.key as step_key,
        chain.step_label,
        chain.previous_step_key,
        case
            when left_out.is_counted_otherwise then null
            when {{ is_real_zero(
                'counted.key is null', 'chain.tracking_state', 'reports.is_doubtful', '(reports.is_full and left_out.name is null)'
            ) }} then 0
            else counted.sessions
        end as reached,
        reports.is_complete and left_out.name is null as is_complete,
        reports.maturity,
        reports.flag_bits
    from cells
    inner join chain using (property_id, date)
    inner join reports using (property_id, date, report)
    left join counted using (property_id, date, report, device, channel, visitor, country, key)
    left join {{ ref('int_pulls__left_out') }} as left_out
        on {{ is_left_out('cells', 'reports.report', 'chain.key', by_day=true) }}
)

-- A rate is as whole as the worse of its two counts.
select
    * replace (is_complete and lag(is_complete, 1, true) over steps as is_complete),
    lag(reached) over steps as previous_reached
from dense
window steps as (partition by property_id, date, cube, device, channel, visitor, country order by step_number)
