with names as (
    select distinct trim(unnest(string_split(event_names, '|'))) as event_name
    from {{ ref('int_plan__resolved') }}
),

days as (
    select
        property_id,
        date,
        window_end
    from {{ ref('int_funnel__periods_listed') }}
    where window_name = '28d' and is_current
)

select
    days.property_id,
    days.window_end as as_of_date,
    e.event_name,
    {{ count_sum('e.events') }} as events,
    {{ count_sum('e.sessions') }} as sessions,
    min(e.date) as first_seen_date,
    max(e.date) as last_seen_date
from {{ ref('stg_ga4__events') }} as e
inner join days on e.property_id = days.property_id and e.date = days.date
anti join names on e.event_name = names.event_name
where e.segment_name = 'all' and e.event_name <> '(other)'
group by days.property_id, days.window_end, e.event_name
