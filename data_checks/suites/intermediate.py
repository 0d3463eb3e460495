"""The intermediate gate: `int_funnel__reach_daily` keeps its contract and staging's totals.

Aggregated in DuckDB to property × date × segment; rows that break a rule are counted, one named.
"""

from __future__ import annotations

from data_checks.catalog import Catalog
from data_checks.model import Pair, Slice, Suite, never
from data_checks.sql import IN_WINDOW, counted, without_counted_otherwise
from data_checks.suites.cell_tables import cells_suite
from data_checks.suites.dates import dates_slice, dates_suite
from pipelines.ga4.exactness import estimate_allowance_sql

REACH = "intermediate.int_funnel__reach_daily"
GRAIN = "property_id, date, segment_name, segment_value, key"
SESSIONS_TABLE = "staging.stg_ga4__sessions"
EVENTS_TABLE = "staging.stg_ga4__events"
MICRO_TABLE = "staging.stg_ga4__micro_conversions"


def build_suites(catalog: Catalog) -> tuple[Suite, ...]:
    """Suites of the intermediate gate; the catalog decides nothing here."""
    del catalog
    return (
        dates_suite(dates_slice(REACH, excuse_empty=True)),
        Suite(
            "reach",
            ("segment_name", "date"),
            (_reach_slice(),),
            (
                never("grain_is_unique", "duplicate_keys"),
                never("keys_are_filled", "empty_keys"),
                never("counts_are_not_negative", "negative_counts"),
                never("sessions_at_most_events", "sessions_above_events"),
                never("key_at_most_all_sessions", "sessions_above_total"),
            ),
        ),
        Suite(
            "devices",
            ("date",),
            (_devices_slice(),),
            (Pair("devices_add_up_to_total", "allowed_difference", "difference", "at_least"),),
        ),
        Suite(
            "totals",
            ("segment_name", "date"),
            (_totals_slice(),),
            (
                Pair("sessions_equal_staging", "sessions", "staging_sessions"),
                Pair("key_sessions_equal_staging", "key_sessions", "staging_key_sessions"),
                Pair("key_events_equal_staging", "key_events", "staging_key_events"),
            ),
        ),
        cells_suite(),
    )


def _reach_slice() -> Slice:
    """One row per property × segment × date: how many rows break each rule of the contract."""
    key = "concat_ws(' / ', segment_value, key)"
    # Where the source scaled numbers or left rows out, they are flagged and prove nothing.
    is_sound = "key <> 'sessions' and is_complete"
    of_events = estimate_allowance_sql("events ** 2", "1", "is_exact")
    too_many_sessions = f"{is_sound} and sessions - events > {of_events}"
    # A value without sessions of its own makes no rate: its row may be missing at the source, and
    # of a segment with too many values each report asks for its own largest ones.
    of_both = estimate_allowance_sql("sessions ** 2 + total ** 2", is_exact="is_exact")
    more_than_all = f"{is_sound} and total is not null and sessions - total > {of_both}"
    return Slice(
        REACH,
        f"""
with keyed as (
    select
        {GRAIN}, count(*) as copies, max(sessions) as sessions, min(events) as events,
        least(min(sessions), min(users), min(events)) as lowest_count,
        bool_and(coalesce(is_exact, false)) as is_exact,
        bool_and(coalesce(is_complete, false)) as is_complete
    from {REACH}
    where {IN_WINDOW}
    group by {GRAIN}
),
whole as (
    select property_id, date, segment_name, segment_value, sessions as total
    from keyed where key = 'sessions'
),
judged as (
    select * from keyed left join whole using (property_id, date, segment_name, segment_value)
)
select
    property_id, segment_name, date,
    {counted("duplicate_keys", "copies > 1", key)},
    {counted("empty_keys", "segment_name is null or segment_value is null or key is null", key)},
    {counted("negative_counts", "lowest_count < 0", key)},
    {counted("sessions_above_events", too_many_sessions, key)},
    {counted("sessions_above_total", more_than_all, key)}
from judged
group by property_id, segment_name, date
order by property_id, segment_name, date
""",
    )


def _devices_slice() -> Slice:
    """One row per property × date with sessions: the sum over devices against the total.

    Where the source scaled numbers or left rows out (sampling, thresholding, `(other)`), they are
    flagged, and may differ as they like.
    """
    allowed = estimate_allowance_sql("squares", "estimates", "is_exact")
    return Slice(
        REACH,
        f"""
with daily as (
    select
        property_id, date, bool_and(coalesce(is_exact, false)) as is_exact,
        bool_and(coalesce(is_complete, false)) and count(distinct segment_name) = 2 as is_complete,
        sum(sessions ** 2) as squares, count(sessions) as estimates,
        coalesce(sum(sessions) filter (where segment_name = 'all'), 0)::double as total,
        coalesce(sum(sessions) filter (where segment_name = 'device'), 0)::double as devices
    from {REACH}
    where {IN_WINDOW} and key = 'sessions' and segment_name in ('all', 'device')
    group by property_id, date
)
select
    property_id, date, total, devices, abs(total - devices) as difference,
    case when is_complete then {allowed} else abs(total - devices) end as allowed_difference
from daily
order by property_id, date
""",
    )


def _totals_slice() -> Slice:
    """One row per property × segment × date: sums of reach against the staging rows under them.

    A simple key (one event name, no filter) comes from the events, any other from GA4's own count.
    """
    return Slice(
        REACH,
        f"""
with plan as (
    select key, event_names as event_name, is_composite
    from intermediate.int_plan__resolved where key <> 'sessions'
),
counted as (
    select property_id, segment_name, date, 'sessions' as key, sessions, 0 as events
    from {SESSIONS_TABLE} where {IN_WINDOW}
    union all
    select property_id, segment_name, date, plan.key, sessions, events
    from {EVENTS_TABLE} inner join plan using (event_name)
    where not is_composite and {IN_WINDOW}
    union all
    select micro.property_id, segment_name, date, micro.key, sessions, events
    from {MICRO_TABLE} as micro inner join plan on micro.key = plan.key
    {without_counted_otherwise("micro", "'micro_by_' || micro.segment_name")}
    where is_composite and {IN_WINDOW}
),
reach as (
    select property_id, segment_name, date, key, sessions, events
    from {REACH} where {IN_WINDOW}
),
both_sides as (
    select *, true as is_reach from reach
    union all
    select *, false as is_reach from counted
)
select
    property_id, segment_name, date,
    {_sum("sessions", "key = 'sessions'", "sessions", "staging_sessions")},
    {_sum("sessions", "key <> 'sessions'", "key_sessions", "staging_key_sessions")},
    {_sum("events", "key <> 'sessions'", "key_events", "staging_key_events")}
from both_sides
group by property_id, segment_name, date
order by property_id, segment_name, date
""",
    )


def _sum(column: str, condition: str, name: str, staging_name: str) -> str:
    """SQL select items: the sum on the side of reach, and on the side of staging."""
    return ",\n    ".join(
        f"coalesce(sum({column}) filter (where {side} and {condition}), 0)::double as {label}"
        for side, label in (("is_reach", name), ("not is_reach", staging_name))
    )
