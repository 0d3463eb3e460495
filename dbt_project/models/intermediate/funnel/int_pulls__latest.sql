with pulls as (
    select
        pulls.*,
        properties.time_zone,
        pulls.status = 'loaded' as is_loaded_pull
    from {{ ref('stg_ga4__pulls') }} as pulls
    inner join {{ ref('int_properties__active') }} as properties on pulls.property_id = properties.property_id
),

attempts as (
    select
        property_id,
        report,
        date,
        arg_max(status, (pulled_at, pull_id)) as last_status
    from pulls
    group by property_id, report, date
),

loaded as (
    select
        *,
        lag(totals) over history as previous_totals,
        lag(row_count) over history as previous_row_count,
        row_number() over history as pull_number
    from pulls
    where is_loaded_pull
    window history as (partition by property_id, report, date order by pulled_at, pull_id)
),

-- A later pull that brought other numbers than the one before it.
restated as (
    select
        *,
        sum(cast(
            pull_number > 1 and (totals is distinct from previous_totals or row_count is distinct from previous_row_count)
            as integer
        )) over (partition by property_id, report, date) as restatements
    from loaded
    qualify row_number() over (partition by property_id, report, date order by pull_number desc) = 1
)

select
    attempts.property_id,
    attempts.report,
    attempts.date,
    attempts.last_status,
    restated.pull_id is not null as is_loaded,
    restated.row_count,
    coalesce(restated.is_sampled, false) as is_sampled,
    coalesce(restated.is_thresholded, false) as is_thresholded,
    coalesce(restated.has_other_row, false) as has_other_row,
    restated.other_share,
    restated.empty_reason,
    cast(coalesce(restated.restatements, 0) as bigint) as restatements,
    restated.pull_id is not null and not restated.is_sampled and not restated.is_thresholded and not restated.has_other_row
        as is_complete,
    {{ maturity('restated.pulled_at', 'attempts.date', 'restated.time_zone') }} as maturity
from attempts
left join restated
    on
        attempts.property_id = restated.property_id
        and attempts.report = restated.report
        and attempts.date = restated.date
