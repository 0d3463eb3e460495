with cells as (
    select distinct
        {{ window_columns() }},
        segment_name,
        segment_value
    from {{ ref('int_funnel__reach_summed') }}
    where is_current
),

figures as (
    select
        *,
        false as is_own
    from {{ ref('benchmark_figures') }}
    union all by name
    select
        *,
        true as is_own
    from {{ source('ops', 'benchmark_figure_overrides') }}
),

worded as (
    select
        *,
        concat(
            replace(replace(statistic, '_of_', ' of the '), '_', ' '), if(statistic similar to '.*[0-9]', ' %', '')
        ) as statistic_text,
        concat_ws(
            ', ',
            if(industry = 'all', 'all industries', replace(industry, '_', ' and ')),
            if(device = 'all', 'all devices', device),
            if(region = 'all', 'all countries', replace(region, '|', ' and '))
        ) as scope
    from figures
),

-- One publication per benchmark and cell, whole: what is nearest in device, then what the shop knows of its like, industry,
-- country, and then the newest. No rank trades the denominator: that is the benchmark's.
nearest as (
    select
        cells.*,
        worded.*
    from cells
    inner join {{ ref('int_properties__active') }} as properties on cells.property_id = properties.property_id
    inner join worded on {{ fits_cell('worded') }}
    qualify rank() over (
        partition by cells.property_id, cells.window_name, cells.segment_name, cells.segment_value, worded.benchmark_key
        order by
            worded.device = 'all' asc, worded.is_own desc, worded.industry = 'all' asc, worded.region = 'all' asc,
            worded.period_end desc, worded.publisher asc, worded.period asc
    ) = 1
),

told as (
    select
        property_id,
        window_name,
        segment_name,
        segment_value,
        benchmark_key,
        concat(
            concat_ws(
                ', ',
                {{ publication_text('min(publisher)', 'min(sample)', 'min(period)') }},
                nullif(min(industry), 'all'),
                nullif(min(device), 'all'),
                if(min(region) = 'all', null, replace(min(region), '|', ' and ')),
                string_agg(distinct read_from, ', ' order by read_from) filter (where read_from <> 'primary')
            ),
            ': ',
            string_agg(concat(statistic_text, ' ', {{ percent_text('value') }}), ', ' order by value, statistic)
        ) as figures
    from nearest
    group by all
)

select
    nearest.*,
    told.figures
from nearest
inner join told using (property_id, window_name, segment_name, segment_value, benchmark_key)
