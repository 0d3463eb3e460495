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
        cells.*,
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
        benchmarks.publisher,
        benchmarks.sample,
        benchmarks.period,
        benchmarks.link,
        concat({{ publication_text('benchmarks.publisher', 'benchmarks.sample', 'benchmarks.period') }}, ': ', benchmarks.source)
            as source_text,
        benchmarks.source_date,
        benchmarks.source_kind,
        benchmarks.is_default
    from cells
    inner join {{ ref('int_properties__active') }} as properties on cells.property_id = properties.property_id
    inner join {{ ref('int_benchmarks__resolved') }} as benchmarks on {{ fits_cell('benchmarks') }}
    qualify row_number() over (
        partition by cells.property_id, cells.window_name, cells.segment_name, cells.segment_value, benchmarks.benchmark_key
        order by benchmarks.device = 'all', benchmarks.region = 'all', benchmarks.industry = 'all', benchmarks.is_default desc
    ) = 1
),

paired as (
    select
        chosen.*,
        numerator_row.window_days,
        numerator_row.window_start,
        numerator_row.window_end,
        numerator_row.days_loaded,
        numerator_row.sessions as numerator,
        denominator_row.sessions as denominator,
        {{ rate_state('numerator_row.tracking_state', 'denominator_row.tracking_state') }} as tracking_state,
        numerator_row.is_complete and denominator_row.is_complete as is_complete,
        {{ worse_maturity('numerator_row.maturity', 'denominator_row.maturity') }} as maturity,
        numerator_row.flag_bits | denominator_row.flag_bits as flag_bits
    from chosen
    inner join reach as numerator_row using (property_id, window_name, segment_name, segment_value)
    inner join reach as denominator_row using (property_id, window_name, segment_name, segment_value)
    where chosen.numerator_key = numerator_row.key and chosen.denominator_key = denominator_row.key
),

-- Windows are sums of days, whose variation tells how much less than their number they are worth.
noisy as (
    select
        paired.*,
        coalesce(noise.phi_wide, 1) as phi,
        {{ effective_trials('numerator', 'denominator', phi='coalesce(noise.phi_wide, 1)') }} as n_eff
    from paired
    left join {{ ref('int_funnel__rates_dispersed') }} as noise
        using (property_id, window_name, window_end, segment_name, segment_value, numerator_key, denominator_key)
)

select
    *,
    -- Of several ranges of one rate the first by name is the one beside it.
    row_number() over (
        partition by property_id, window_name, segment_name, segment_value, numerator_key, denominator_key order by benchmark_key
    ) = 1 as is_leading,
    {{ rate_with_interval('rate', "tracking_state = 'tracked'", 'numerator', 'denominator', 'n_eff') }}
from noisy
