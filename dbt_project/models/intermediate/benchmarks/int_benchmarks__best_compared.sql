-- Rates that nobody published a figure of, beside the shop's own best weeks. Some weeks are better by chance, so that a rate below
-- them is a question and no finding (docs/analytics.md, "Verdicts").
with rates as (
    select
        rated.* replace (rated.rate_state as tracking_state),
        rated.key as numerator_key,
        rated.parent_key as denominator_key,
        rated.sessions as numerator,
        rated.parent_sessions as denominator,
        rated.micro_rate as rate
    from {{ ref('int_funnel__keys_rated') }} as rated
    anti join {{ ref('int_figures__nearest') }} as figures
        on
            rated.property_id = figures.property_id
            and rated.key = figures.numerator
            and rated.parent_key = figures.denominator
    where rated.is_current and rated.parent_key is not null and rated.segment_name in ('all', 'device')
),

tracked as (
    select *
    from {{ ref('int_funnel__days_filled') }}
    where segment_name in ('all', 'device') and tracking_state = 'tracked'
),

sums as (
    {% call weekly_sums('rates', 'tracked', 'sessions', var('best_of_weeks')) %}
    min(days.date) as first_day,
    {{ whole_sum('days.sessions') }} as sessions
    {% endcall %}
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
),

-- The best weeks are too much alike to tell how weeks vary: that is asked of all of them.
best as (
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
),

compared as (
    select
        rates.*,
        weeks.* exclude (property_id, window_name, segment_name, segment_value, key, weeks),
        coalesce(weeks.weeks, 0) as weeks,
        coalesce(weeks.weeks, 0) >= {{ var('least_best_weeks') }} as is_enough,
        weeks.best_denominator / {{ widened_dispersion('weeks.week_phi', 'weeks.weeks') }} as best_n_eff
    from rates
    left join best as weeks using (property_id, window_name, segment_name, segment_value, key)
),

pooled as (
    select
        *,
        {{ rate_with_interval('best_rate', 'is_enough', 'best_numerator', 'best_denominator', 'best_n_eff', ci='best_') }}
    from compared
)

select
    {{ window_columns() }},
    segment_name,
    segment_value,
    'own_best_weeks_of_' || key as benchmark_key,
    numerator_key,
    denominator_key,
    'sessions' as unit,
    numerator,
    denominator,
    rate,
    ci_low,
    ci_high,
    phi,
    n_eff,
    best_ci_low as benchmark_low,
    best_ci_high as benchmark_high,
    tracking_state,
    case
        when tracking_state <> 'tracked' then tracking_state
        when {{ is_beyond('numerator', 'denominator') }} then 'anomaly'
        when not is_enough or denominator < {{ var('least_trials') }} then 'insufficient_data'
        when ci_high < best_ci_low then 'below'
        when ci_low > best_ci_high then 'above'
        else 'likely_within'
    end as status,
    'the shop''s own best weeks' as source,
    'the shop itself' as publisher,
    concat(case when is_enough then best_weeks || ' of ' end, weeks, if(weeks = 1, ' whole week', ' whole weeks')) as sample,
    if(weeks > 0, concat(first_day, ' to ', last_day), 'the half year before the window') as period,
    cast(window_start - 1 as date) as source_date,
    'own_history' as source_kind,
    case
        when is_enough
            then
                concat(
                    'your own best weeks: ',
                    format(
                        '{} of {} from {} to {}, {:,} of {:,} sessions, ',
                        best_weeks, weeks, first_day, last_day, best_numerator, best_denominator
                    ),
                    {{ percent_text('best_rate') }},
                    format(' ({:.1f} to {:.1f} %)', 100 * best_ci_low, 100 * best_ci_high)
                )
        else format('your own best weeks: needs {} whole weeks before this window, has {}', {{ var('least_best_weeks') }}, weeks)
    end as source_text,
    false as is_default,
    'all' as benchmark_industry,
    if(segment_name = 'device', segment_value, 'all') as benchmark_device,
    'all' as benchmark_region,
    is_complete,
    maturity,
    flag_bits
from pooled
