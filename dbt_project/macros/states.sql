{#- Tracking states and maturities: the orders in which one of two or many wins. -#}

{#- The source's own doubts laid over what the tag alone shows: a number that is an extrapolation or may not be seen
    (sampled, restricted), or nothing reported by a report that left rows out, is withheld (ANALYTICS section 3). -#}
{% macro with_withheld(tag_state, is_doubtful, is_partial, events) -%}
    case
        when {{ tag_state }} = 'not_applicable' then 'not_applicable'
        when {{ is_doubtful }} then 'withheld'
        when {{ is_partial }} and {{ events }} = 0 and {{ tag_state }} <> 'tracking_lost' then 'withheld'
        else {{ tag_state }}
    end
{%- endmacro %}

{#- The state of a rate: the more telling of its numerator's and its denominator's; `tracked` only if both are. -#}
{% macro rate_state(numerator_state, denominator_state) -%}
    case
        {%- for state in ['not_applicable', 'tracking_lost', 'not_tracked', 'withheld', 'unknown_low_volume'] %}
        when '{{ state }}' in ({{ numerator_state }}, {{ denominator_state }}) then '{{ state }}'
        {%- endfor %}
        when {{ numerator_state }} = 'tracked' and {{ denominator_state }} = 'tracked' then 'tracked'
    end
{%- endmacro %}

{#- How far a date may still change, by the age of its numbers when they were pulled, counted from the end of that date in
    the property's time zone: late events arrive for 72 hours, attribution moves for about 12 days (GA4.md). -#}
{% macro maturity(pulled_at, date, time_zone) -%}
    {%- set day_end = "timezone(" ~ time_zone ~ ", cast(" ~ date ~ " + 1 as timestamp))" -%}
    case
        when {{ pulled_at }} is null or {{ pulled_at }} <= {{ day_end }} + interval 72 hours then 'provisional'
        when {{ pulled_at }} <= {{ day_end }} + interval 14 days then 'settled'
        else 'final'
    end
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

{#- The least n with (1 - floor)^n < 0.01: so many sessions without a single event mean that none is sent (ANALYTICS section 3:
    90 at 5 %, 459 at 1 %, 7 at 50 %). NULL where the floor is 0: nothing can be told then. -#}
{% macro sessions_to_tell(floor_rate) -%}
    (floor(ln(0.01) / nullif(ln(1 - {{ floor_rate }}), 0)) + 1)
{%- endmacro %}
