{% set weeks = var('best_of_weeks') | int %}

with rates as (
    select *
    from {{ ref('int_funnel__keys_rated') }}
    where is_current and parent_key is not null and segment_name in ('all', 'device')
),

windows as (
    select distinct
        property_id,
        window_name,
        window_start
    from rates
),

-- Whole weeks only, of days on which the key was tracked.
sums as (
    select
        windows.property_id,
        windows.window_name,
        days.segment_name,
        days.segment_value,
        days.key,
        (windows.window_start - 1 - days.date) // 7 as weeks_ago,
        min(days.date) as first_day,
        {{ whole_sum('days.sessions') }} as sessions
    from windows
    inner join {{ ref('int_funnel__days_filled') }} as days
        on
            windows.property_id = days.property_id
            and days.date between windows.window_start - {{ 7 * weeks }} and windows.window_start - 1
    where days.segment_name in ('all', 'device') and days.tracking_state = 'tracked'
    group by all
    having count(days.sessions) = 7
),

weekly as (
    select
        rates.property_id,
        rates.window_name,
        rates.segment_name,
        rates.segment_value,
        rates.key,
        numerators.first_day,
        numerators.sessions as numerator,
        denominators.sessions as denominator,
        {{ rate('numerators.sessions', 'denominators.sessions') }} as week_rate,
        quantile_cont(week_rate, 0.75) over (
            partition by rates.property_id, rates.window_name, rates.segment_name, rates.segment_value, rates.key
        ) as upper_quartile
    from rates
    inner join sums as numerators using (property_id, window_name, segment_name, segment_value, key)
    inner join sums as denominators using (property_id, window_name, segment_name, segment_value, weeks_ago)
    where
        rates.parent_key = denominators.key
        and denominators.sessions >= {{ var('least_trials') }}
        and not {{ is_beyond('numerators.sessions', 'denominators.sessions') }}
)

-- The best weeks are too much alike to tell how weeks vary: that is asked of all of them.
select
    property_id,
    window_name,
    segment_name,
    segment_value,
    key,
    cast(count(*) as integer) as weeks,
    cast(count(*) filter (where week_rate >= upper_quartile) as integer) as best_weeks,
    cast(sum(numerator) filter (where week_rate >= upper_quartile) as bigint) as best_numerator,
    cast(sum(denominator) filter (where week_rate >= upper_quartile) as bigint) as best_denominator,
    min(first_day) as first_day,
    max(first_day) + 6 as last_day,
    {{ overdispersion('numerator', 'denominator') }} as week_phi
from weekly
group by all
