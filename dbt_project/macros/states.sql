{#- Tracking states and maturities: the orders in which one of two or many wins. -#}

{#- The source's own doubts laid over what the tag alone shows: a number that is an extrapolation or may not be seen
    (sampled, restricted), or nothing reported by a report that left rows out, is withheld (docs/analytics.md). That events
    carry no session shows in an extrapolation as well. -#}
{% macro with_withheld(tag_state, is_doubtful, is_partial, events) -%}
    case
        when {{ tag_state }} in ('not_applicable', 'sessionless') then {{ tag_state }}
        when {{ is_doubtful }} then 'withheld'
        when {{ is_partial }} and {{ events }} = 0 and {{ tag_state }} <> 'tracking_lost' then 'withheld'
        else {{ tag_state }}
    end
{%- endmacro %}

{#- Condition on the counts of a key on a day or longer: most of its events carry no session id (hits of a server or a till),
    so that its sessions tell nothing of how many did it. GA4 counts a session of every event that has one, hence many
    events without any are certain, and so are fewer sessions than half of the transactions in the same rows: a session
    orders about once. `transactions`: NULL where a key has none or they may not be seen. Never NULL. -#}
{% macro is_sessionless(events, sessions, transactions='null') -%}
    coalesce(
        {{ events }} >= {{ var('least_sessionless_events') }}
        and ({{ sessions }} = 0 or coalesce({{ sessions }} < {{ var('least_ordering_share') }} * {{ transactions }}, false)),
        false
    )
{%- endmacro %}

{#- The same of a window, which verdicts and money are made of: there
    - next to none is none. Other events than orders may come many times a session (images, scrolls), but not a hundred
      times on average; on one day of a small shop a crawler does that, so days are not judged by it;
    - not even one order may stand beside 0 sessions with it. On one day of a small shop that is an order by phone. -#}
{% macro is_sessionless_window(events, sessions, transactions='null') -%}
    (
        {{ is_sessionless(events, sessions, transactions) }}
        or coalesce(
            {{ events }} >= {{ var('least_sessionless_events') }} and {{ sessions }} < {{ var('least_session_share') }} * {{ events }},
            false
        )
        or coalesce({{ sessions }} = 0 and {{ transactions }} > 0, false)
    )
{%- endmacro %}

{#- The state of what GA4 counts by item, which needs no session: products bought are right also where `purchase` has none. -#}
{% macro item_state(tracking_state) -%}
    case when {{ tracking_state }} = 'sessionless' then 'tracked' else {{ tracking_state }} end
{%- endmacro %}

{#- The state of a rate: the more telling of its numerator's and its denominator's; `tracked` only if both are. -#}
{% macro rate_state(numerator_state, denominator_state) -%}
    case
        {%- for state in ['not_applicable', 'tracking_lost', 'not_tracked', 'sessionless', 'withheld', 'unknown_low_volume'] %}
        when '{{ state }}' in ({{ numerator_state }}, {{ denominator_state }}) then '{{ state }}'
        {%- endfor %}
        when {{ numerator_state }} = 'tracked' and {{ denominator_state }} = 'tracked' then 'tracked'
    end
{%- endmacro %}

{#- The status of a rate, the first rung that holds: the state that forbids it, `unrated` (a condition and its name: nothing
    that it could be a rate of), no_denominator, anomaly, or measured. -#}
{% macro rate_status(state, numerator, denominator, unrated=none) -%}
    case
        when {{ state }} <> 'tracked' then {{ state }}
        {%- if unrated %}
        when {{ unrated[0] }} then '{{ unrated[1] }}'
        {%- endif %}
        when {{ denominator }} = 0 then 'no_denominator'
        when {{ is_beyond(numerator, denominator) }} then 'anomaly'
        else 'measured'
    end
{%- endmacro %}

{#- How far a date may still change, by the age of its numbers when they were pulled, counted from the end of that date in
    the property's time zone: late events arrive for 72 hours, attribution moves for about 12 days (docs/ga4.md). -#}
{% macro maturity(pulled_at, day) -%}
    case
        when {{ pulled_at }} is null or {{ pulled_at }} <= {{ day }}.provisional_until then 'provisional'
        when {{ pulled_at }} <= {{ day }}.settled_until then 'settled'
        else 'final'
    end
{%- endmacro %}

{#- The columns that `maturity` compares with: once a day and property, as arithmetic in a time zone is slow. -#}
{% macro maturity_limits(date, time_zone) -%}
    {%- set day_end = "timezone(" ~ time_zone ~ ", cast(" ~ date ~ " + 1 as timestamp))" -%}
    {{ day_end }} + interval 72 hours as provisional_until,
    {{ day_end }} + interval 14 days as settled_until
{%- endmacro %}

{#- Aggregate: many numbers are as mature as the least mature of them. -#}
{% macro worst_maturity(column) -%}
    case
        when coalesce(bool_or({{ column }} = 'provisional'), true) then 'provisional'
        when bool_or({{ column }} = 'settled') then 'settled'
        else 'final'
    end
{%- endmacro %}

{#- The same of two; the second is NULL where there is no other. -#}
{% macro worse_maturity(one, other) -%}
    case
        when 'provisional' in ({{ one }}, {{ other }}) then 'provisional'
        when 'settled' in ({{ one }}, {{ other }}) then 'settled'
        else {{ one }}
    end
{%- endmacro %}

{#- The least n with (1 - floor)^n < `silence_below`, 0.01: so many sessions without a single event mean that none is sent
    (docs/analytics.md: 90 at 5 %, 459 at 1 %, 7 at 50 %). NULL where the floor is 0 or 1: nothing can be told then. -#}
{% macro sessions_to_tell(floor_rate) -%}
    {%- set rate = 'cast(' ~ floor_rate ~ ' as double)' -%}
    (floor(ln({{ var('silence_below') }}) / nullif(ln(1 - case when {{ rate }} < 1 then {{ rate }} end), 0)) + 1)
{%- endmacro %}
