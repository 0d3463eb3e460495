with pulls as (
    select *
    from {{ ref('int_pulls__latest') }}
    where window_name = '1d'
),

dates as (
    select distinct
        property_id,
        date
    from pulls
    where is_loaded
),

-- What a number of a segment rests on: a simple key on two reports, a composite one on a third as well.
required as (
    select
        segments.segment_name,
        reports.is_composite,
        reports.report || '_by_' || segments.segment_name as report,
        reports.report = 'sessions' as has_revenue
    from {{ ref('segments') }} as segments
    cross join (
        values (false, 'sessions'), (false, 'events'), (true, 'sessions'), (true, 'events'), (true, 'micro')
    ) as reports (is_composite, report)
),

-- GA4 put rare values into one row: what it holds is missing from the values of the segment, or from the events.
rows_of_other as (
    select
        property_id,
        date,
        segment_name,
        true as is_segment
    from {{ ref('stg_ga4__sessions') }}
    where segment_value = '(other)'
    union all
    select
        property_id,
        date,
        segment_name,
        segment_value = '(other)' as is_segment
    from {{ ref('stg_ga4__events') }}
    where segment_value = '(other)' or event_name = '(other)'
    union all
    select
        property_id,
        date,
        segment_name,
        true as is_segment
    from {{ ref('stg_ga4__micro_conversions') }}
    where segment_value = '(other)'
),

folded as (
    select
        property_id,
        date,
        segment_name,
        bool_or(is_segment) as is_segment_folded
    from rows_of_other
    group by property_id, date, segment_name
),

flagged as (
    select
        dates.property_id,
        dates.date,
        required.segment_name,
        required.is_composite,
        bool_and(coalesce(pulls.is_loaded, false)) as is_loaded,
        bool_and(coalesce(pulls.is_whole, false)) as is_whole,
        coalesce(bool_or(pulls.is_sampled), false) as is_sampled,
        coalesce(bool_or(pulls.is_partial), false) or count(folded.date) > 0 as is_partial,
        coalesce(bool_or(folded.is_segment_folded), false) as is_segment_folded,
        -- Only what counts: a shop without a view of its revenue still knows its sessions.
        coalesce(bool_or(list_has_any(string_split(pulls.restricted_metrics, ','), ['sessions', 'eventCount'])), false)
            as is_restricted,
        coalesce(bit_or(pulls.flag_bits), 0) as pulls_flag_bits,
        {{ flag_bits(other='count(folded.date) > 0', restricted='is_restricted') }} as own_flag_bits,
        max(pulls.currency) filter (where required.has_revenue) as currency,
        max(pulls.route) as route,
        {{ worst_maturity("coalesce(pulls.maturity, 'provisional')") }} as maturity
    from dates
    cross join required
    left join pulls
        on dates.property_id = pulls.property_id and dates.date = pulls.date and required.report = pulls.report
    left join folded
        on dates.property_id = folded.property_id and dates.date = folded.date and required.segment_name = folded.segment_name
    group by dates.property_id, dates.date, required.segment_name, required.is_composite
)

select
    property_id,
    date,
    segment_name,
    is_composite,
    is_loaded,
    is_whole and not (is_restricted or is_segment_folded) as is_complete,
    is_sampled or is_restricted as is_doubtful,
    is_partial,
    (pulls_flag_bits & ~{{ flag_bits(restricted='true') }}) | own_flag_bits as flag_bits,
    currency,
    route,
    maturity,
    -- A date counts as loaded for the property once the two reports of the whole property are there.
    bool_or(is_loaded and segment_name = 'all' and not is_composite) over (partition by property_id, date) as is_date_loaded
from flagged
