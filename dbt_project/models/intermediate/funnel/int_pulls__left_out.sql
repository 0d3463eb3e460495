{{ config(materialized='view') }}

-- A report without a key or a parameter says nothing of it on that day, and so no sum over the day does. Nor does one that
-- counted something else as it, or did not know it yet: pulled for another tracking plan, and not again since.
with pulls as (
    select *
    from {{ ref('int_pulls__latest') }}
    where window_name = '1d'
),

parts as (
    select * from {{ source('ops', 'report_parts') }}
),

versions as (
    select distinct
        report,
        report_version
    from parts
),

counted_otherwise as (
    select
        versions.report,
        versions.report_version,
        asked.name,
        asked.meaning
    from versions
    inner join parts as asked on versions.report = asked.report and asked.is_current
    except
    select
        report,
        report_version,
        name,
        meaning
    from parts
),

lacking as (
    select
        property_id,
        date,
        report,
        unnest(string_split(left_out, ',')) as name,
        false as is_counted_otherwise
    from pulls
    where left_out is not null
    union all
    select
        pulls.property_id,
        pulls.date,
        pulls.report,
        counted_otherwise.name,
        true as is_counted_otherwise
    from pulls
    inner join counted_otherwise using (report, report_version)
)

select
    periods.property_id,
    periods.window_name,
    periods.window_end,
    lacking.report,
    lacking.name,
    bool_or(lacking.is_counted_otherwise) as is_counted_otherwise
from {{ ref('int_funnel__periods_listed') }} as periods
inner join lacking on periods.property_id = lacking.property_id and periods.date = lacking.date
group by periods.property_id, periods.window_name, periods.window_end, lacking.report, lacking.name
