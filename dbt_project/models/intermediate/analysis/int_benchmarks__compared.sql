with reach as (
    select *
    from {{ ref('int_funnel__reach_summed') }}
    where is_current
),

cells as (
    select distinct
        property_id,
        window_name,
        segment_name,
        segment_value
    from reach
),

-- One range per benchmark and cell: a row for the shop's own device, region or industry goes before the general default.
chosen as (
    select
        cells.property_id,
        cells.window_name,
        cells.segment_name,
        cells.segment_value,
        benchmarks.benchmark_key,
        benchmarks.numerator as numerator_key,
        benchmarks.denominator as denominator_key,
        benchmarks.low as benchmark_low,
        benchmarks.high as benchmark_high,
        benchmarks.unit,
        benchmarks.industry as benchmark_industry,
        benchmarks.device as benchmark_device,
        benchmarks.region as benchmark_region,
        benchmarks.source,
        benchmarks.source_date,
        benchmarks.source_kind,
        benchmarks.is_default
    from cells
    inner join {{ ref('int_properties__active') }} as properties on cells.property_id = properties.property_id
    inner join {{ ref('int_benchmarks__resolved') }} as benchmarks
        on
            benchmarks.industry in ('all', properties.industry)
            and (benchmarks.device = 'all' or (cells.segment_name = 'device' and cells.segment_value = benchmarks.device))
            and (benchmarks.region = 'all' or (cells.segment_name = 'country' and cells.segment_value = benchmarks.region))
    qualify row_number() over (
        partition by cells.property_id, cells.window_name, cells.segment_name, cells.segment_value, benchmarks.benchmark_key
        order by benchmarks.device = 'all', benchmarks.region = 'all', benchmarks.industry = 'all', benchmarks.is_default desc
    ) = 1
),

paired as (
    select
        chosen.*,
        upper_row.window_days,
        upper_row.window_start,
        upper_row.window_end,
        upper_row.days_loaded,
        upper_row.sessions as numerator,
        lower_row.sessions as denominator,
        {{ rate_state('upper_row.tracking_state', 'lower_row.tracking_state') }} as tracking_state,
        upper_row.is_complete and lower_row.is_complete as is_complete,
        {{ worse_maturity('upper_row.maturity', 'lower_row.maturity') }} as maturity,
        upper_row.flag_bits | lower_row.flag_bits as flag_bits
    from chosen
    inner join reach as upper_row
        on
            chosen.property_id = upper_row.property_id
            and chosen.window_name = upper_row.window_name
            and chosen.segment_name = upper_row.segment_name
            and chosen.segment_value = upper_row.segment_value
            and chosen.numerator_key = upper_row.key
    inner join reach as lower_row
        on
            chosen.property_id = lower_row.property_id
            and chosen.window_name = lower_row.window_name
            and chosen.segment_name = lower_row.segment_name
            and chosen.segment_value = lower_row.segment_value
            and chosen.denominator_key = lower_row.key
),

-- Windows are sums of days, whose variation tells how much less than their number they are worth.
noisy as (
    select
        paired.*,
        coalesce(noise.phi_wide, 1) as phi,
        {{ effective_trials('numerator', 'denominator', phi='coalesce(noise.phi_wide, 1)') }} as n_eff
    from paired
    left join {{ ref('int_funnel__rates_dispersed') }} as noise
        on
            paired.property_id = noise.property_id
            and paired.window_name = noise.window_name
            and paired.window_end = noise.window_end
            and paired.segment_name = noise.segment_name
            and paired.segment_value = noise.segment_value
            and paired.numerator_key = noise.numerator_key
            and paired.denominator_key = noise.denominator_key
)

select
    *,
    case when tracking_state = 'tracked' then {{ rate('numerator', 'denominator') }} end as rate,
    case when tracking_state = 'tracked' then {{ wilson_low('numerator', 'denominator', 'n_eff') }} end as ci_low,
    case when tracking_state = 'tracked' then {{ wilson_high('numerator', 'denominator', 'n_eff') }} end as ci_high
from noisy
