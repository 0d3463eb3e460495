with dates as (
    select distinct
        property_id,
        date
    from {{ ref('int_pulls__latest') }}
    where is_loaded
),

-- What a number of a segment rests on: a simple key on two reports, a composite one on a third as well.
required as (
    select
        segments.segment_name,
        reports.is_composite,
        reports.report || '_by_' || segments.segment_name as report
    from {{ ref('segments') }} as segments
    cross join (
        values (false, 'sessions'), (false, 'events'), (true, 'sessions'), (true, 'events'), (true, 'micro')
    ) as reports (is_composite, report)
),

assessed as (
    select
        dates.property_id,
        dates.date,
        required.segment_name,
        required.is_composite,
        bool_and(coalesce(pulls.is_loaded, false)) as is_loaded,
        bool_and(coalesce(pulls.is_complete, false)) as is_complete,
        bool_or(coalesce(pulls.is_sampled, false)) as is_sampled,
        bool_or(coalesce(pulls.is_thresholded or pulls.has_other_row, false)) as is_partial,
        {{ worst_maturity("coalesce(pulls.maturity, 'provisional')") }} as maturity
    from dates
    cross join required
    left join {{ ref('int_pulls__latest') }} as pulls
        on dates.property_id = pulls.property_id and dates.date = pulls.date and required.report = pulls.report
    group by dates.property_id, dates.date, required.segment_name, required.is_composite
)

select
    *,
    -- A date counts as loaded for the property once the two reports of the whole property are there.
    bool_or(is_loaded and segment_name = 'all' and not is_composite) over (partition by property_id, date) as is_date_loaded
from assessed
