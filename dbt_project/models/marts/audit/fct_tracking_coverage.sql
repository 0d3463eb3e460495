{% set plan_file = 'tracking_plan.yml' %}
{% set missing = count_difference('sessions_needed', 'exposed_sessions_28d') %}

with latest as (
    select *
    from {{ ref('int_funnel__keys_assessed') }}
    where window_name = '28d' and is_current
),

tracking as (
    select *
    from {{ ref('int_funnel__tracking_assessed') }}
    qualify row_number() over (partition by property_id, key order by date desc) = 1
),

-- The most frequent event that may be the key under another name.
renamed as (
    select
        property_id,
        event_name,
        events_28d as events,
        unnest(string_split(suggested_key, ', ')) as key
    from {{ ref('fct_event_suggestion') }}
),

suggested as (
    select *
    from renamed
    qualify row_number() over (partition by property_id, key order by events desc, event_name asc) = 1
),

-- Whoever comes to a later step has come past this one, if not in a session that began the day before.
passed as (
    select distinct
        silent.property_id,
        silent.key
    from {{ ref('funnel_steps') }} as step
    inner join {{ ref('funnel_steps') }} as later on step.funnel = later.funnel and step.step_number < later.step_number
    inner join tracking as silent on step.key = silent.key
    inner join tracking as seen on later.key = seen.key and silent.property_id = seen.property_id
    where not step.is_optional and seen.last_seen_date > silent.last_seen_date + 1
),

covered as (
    select
        latest.property_id,
        latest.key,
        plan.stage,
        plan.family,
        plan.event_names,
        plan.origin,
        plan.is_expected,
        plan.is_not_applicable as is_declared,
        latest.tracking_state,
        latest.window_end as as_of_date,
        tracking.first_seen_date,
        tracking.last_seen_date,
        case when latest.tracking_state = 'tracking_lost' then passed.key is not null end as is_passed,
        tracking.events_28d,
        tracking.sessions_28d,
        tracking.transactions_28d,
        plan.exposure_key,
        tracking.exposed_28d as exposed_sessions_28d,
        cast(plan.floor_rate as double) as floor_rate,
        latest.days_tracked,
        latest.days_loaded,
        cast({{ sessions_to_tell('plan.floor_rate') }} as bigint) as sessions_needed,
        tracking.exposed_28d / cast(latest.days_loaded as double) as exposed_a_day,
        origins.advice,
        replace(plan.event_names, '|', ' or ') as names,
        suggested.event_name as suggested_event,
        suggested.events as suggested_events
    from latest
    inner join tracking on latest.property_id = tracking.property_id and latest.key = tracking.key
    inner join {{ ref('int_plan__resolved') }} as plan on latest.key = plan.key
    left join {{ ref('event_origins') }} as origins on plan.origin = origins.origin
    left join passed on latest.property_id = passed.property_id and latest.key = passed.key
    left join suggested on latest.property_id = suggested.property_id and latest.key = suggested.key
    where latest.key <> 'sessions'
),

-- A tag may come at any time; only its silence over the trailing 28 days counts, so a thin shop may never get to know.
measured as (
    select
        *,
        case
            when tracking_state = 'sessionless' and transactions_28d > 0
                then greatest({{ count_difference('transactions_28d', 'sessions_28d') }}, 0)
        end as sessionless_orders_28d,
        case when tracking_state = 'unknown_low_volume' then greatest({{ missing }}, 0) end
            as sessions_missing,
        case
            when tracking_state = 'unknown_low_volume' and 28 * exposed_a_day >= sessions_needed
                then try_cast(ceil({{ missing }} / exposed_a_day) as integer)
        end as days_to_tell
    from covered
)

select
    * exclude (is_declared, exposed_a_day, advice, names, suggested_event, suggested_events),
    case
        when tracking_state = 'tracked' then null
        when tracking_state = 'not_applicable' and not is_declared
            then 'Shopify does not tell it: with GA4 beside it, ' || names || ' would.'
        when tracking_state = 'not_applicable' then 'Declared not applicable in {{ plan_file }}: take it out there once the shop has it.'
        when tracking_state = 'withheld'
            then 'GA4 sampled, thresholded or hid the reports behind ' || names || ': marts.fct_data_completeness tells which and why.'
        when tracking_state = 'sessionless'
            then concat(
                case
                    when sessionless_orders_28d is null
                        then format('{:,d} {} events came with {:,d} sessions', events_28d, names, sessions_28d)
                    else format('{:,d} of {:,d} orders came without a session', sessionless_orders_28d, transactions_28d)
                end,
                ' in 28 days, so that no rate of sessions can be told: send session_id and client_id with each Measurement Protocol ',
                'hit of ', names, ', or send it from the browser.'
            )
        when tracking_state = 'tracking_lost' and last_seen_date = as_of_date
            then names || ' is back after days without it: its rates return once those days have left the window.'
        when tracking_state = 'not_tracked' and events_28d > 0
            then names || ' came first on ' || first_seen_date || ': its rates come once the window holds no day before that.'
        when suggested_event is not null
            then concat(
                names, ' is missing, but ', suggested_event, ' came ', suggested_events,
                ' times: if it is the same, take the line of marts.fct_event_suggestion into {{ plan_file }}.'
            )
        when tracking_state = 'tracking_lost'
            then concat(
                names, ' was last seen on ', last_seen_date,
                case
                    when is_passed then ', and steps after it still come, so that its tag is gone'
                    else ': do it once in the shop. If it does not work, mend that first; if it does, its tag is gone'
                end,
                ': find out what changed then on the site or in the tag manager, and ', advice, '.'
            )
        when tracking_state = 'not_tracked'
            then concat(
                'No ', names, ' in ', exposed_sessions_28d, ' sessions: ', advice, ', or declare ', key,
                ' under not_applicable in {{ plan_file }}.'
            )
        when days_to_tell is not null
            then 'No ' || names || ' yet: about ' || days_to_tell || ' more days tell whether it is sent; GA4''s DebugView tells at once.'
        else
            'No ' || names || ' yet, and too few sessions to tell: do it once in the shop and look for the event in GA4''s DebugView.'
    end as fix
from measured
