-- Every week and month anew each night, from five steps a day of the parts that make up the shop: adding up 730 days takes less than
-- keeping apart what changed.
with reach as (
    select
        filled.*,
        steps.step_number,
        steps.step_label,
        steps.previous_step_key,
        lag(filled.sessions) over chain as previous_sessions,
        lag(filled.is_complete, 1, true) over chain as is_previous_complete,
        lag(filled.maturity) over chain as previous_maturity,
        lag(filled.flag_bits, 1, 0) over chain as previous_flag_bits,
        first_value(filled.sessions) over chain as entry_sessions,
        case
            when steps.previous_step_key is null then filled.tracking_state
            else {{ rate_state('filled.tracking_state', 'lag(filled.tracking_state) over chain') }}
        end as step_state
    from {{ ref('int_funnel__days_filled') }} as filled
    inner join {{ core_steps() }} as steps using (key)
    inner join {{ ref('segments') }} as parts using (segment_name)
    where parts.is_partition
    window chain as (
        partition by filled.property_id, filled.date, filled.segment_name, filled.segment_value
        order by steps.step_number
    )
),

-- A period has a rate only if both steps were tracked on all of its days; else the newest reason stands.
summed as (
    select
        reach.property_id,
        lengths.window_name,
        cast(date_trunc(lengths.window_name, reach.date) as date) as window_start,
        reach.segment_name,
        reach.segment_value,
        reach.step_number,
        reach.key as step_key,
        any_value(reach.step_label) as step_label,
        any_value(reach.previous_step_key) as previous_step_key,
        {{ whole_sum('reach.sessions') }} as reached,
        {{ whole_sum('reach.previous_sessions') }} as previous_reached,
        {{ whole_sum('reach.entry_sessions') }} as entry_reached,
        {{ widened_overdispersion('reach.sessions', 'reach.previous_sessions') }} as phi_days,
        coalesce(arg_max(reach.tracking_state, reach.date) filter (where reach.tracking_state <> 'tracked'), 'tracked')
            as tracking_state,
        coalesce(arg_max(reach.step_state, reach.date) filter (where reach.step_state <> 'tracked'), 'tracked') as step_state,
        bool_and(reach.is_complete and reach.is_previous_complete) as is_complete,
        {{ worst_maturity(worse_maturity('reach.maturity', 'reach.previous_maturity')) }} as maturity,
        bit_or(reach.flag_bits | reach.previous_flag_bits) as flag_bits
    from reach
    cross join (values ('week'), ('month')) as lengths (window_name)
    group by all
),

-- The property as a whole has a row on every day that is loaded.
loaded as (
    select
        reach.property_id,
        lengths.window_name,
        cast(date_trunc(lengths.window_name, reach.date) as date) as window_start,
        cast(case lengths.window_name when 'week' then window_start + 6 else last_day(window_start) end as date) as window_end,
        cast(window_end - window_start + 1 as integer) as window_days,
        cast(count(*) as integer) as days_loaded
    from reach
    cross join (values ('week'), ('month')) as lengths (window_name)
    where reach.segment_name = 'all' and reach.step_number = 0
    group by all
),

noisy as (
    select
        summed.* replace (summed.is_complete and loaded.days_loaded = loaded.window_days as is_complete),
        loaded.window_end,
        loaded.window_days,
        loaded.days_loaded,
        case when summed.previous_reached is not null then summed.phi_days end as phi,
        {{ effective_trials('summed.reached', 'summed.previous_reached', phi='phi') }} as n_eff
    from summed
    inner join loaded using (property_id, window_name, window_start)
)

select
    {{ window_columns() }},
    {{ step_counts() }},
    {{ rate_with_interval('step_rate', "step_state = 'tracked'", 'reached', 'previous_reached', 'n_eff') }},
    phi,
    n_eff,
    {{ rate_status('step_state', 'reached', 'previous_reached', unrated=('previous_step_key is null', 'entry')) }} as status,
    tracking_state,
    {{ quality_columns() }}
from noisy
