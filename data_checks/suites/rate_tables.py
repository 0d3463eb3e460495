"""The mart tables that hold rates, as data, and the one slice that reads any of them.

A rate is judged by the same rules wherever it stands (docs/analytics.md): never without numerator
and denominator, in [0, 1] unless flagged by having no interval, inside its interval, never made of
numbers that the source withholds, and with a word on how whole and final it is.
"""

from __future__ import annotations

from dataclasses import dataclass

from data_checks.model import Slice
from data_checks.sql import ASKED, counted, key_text

REACH = "intermediate.int_funnel__reach_daily"
# Rates are divisions of counts in DOUBLE: 1e-9 is far above rounding, far below one session.
EPSILON = "1e-9"


@dataclass(frozen=True)
class RateTable:
    """Where a mart keeps its rate, and what its counts must equal.

    `period`: SQL naming the partition of a row. `in_window`: SQL choosing the partitions.
    `totals`: SELECT (property_id, period, label, actual, expected) over the rows `chosen`, of
    counts that must be equal (a NULL is a difference); None where reach has no such count.
    `interval`: its columns. `is_loss`: the numerator is a difference, which is below 0 where more
    went on than came.
    """

    table_name: str
    period: str
    in_window: str
    grain: tuple[str, ...]
    numerator: str
    denominator: str
    rate: str
    totals: str | None = None
    interval: tuple[str, str] = ("ci_low", "ci_high")
    is_loss: bool = False


DAY = "date::varchar"
DAYS = "date between $start and $end"
WINDOW = "window_name || ' to ' || window_end::varchar"
# Window tables may keep the newest windows only, and a backfill of old days changes all of them.
TOUCHED = "window_end >= $start"
_SEGMENT = ("segment_name", "segment_value")
# A count that tracking says nothing about may be NULL (not tracked, withheld by the source).
_IS_SHOWN = "({0} is not null or coalesce(tracking_state, '') = 'tracked')"


def _daily_totals(key: str, count: str, label: str) -> str:
    """Every shown count equals reach; no missing reach row means anything but 0."""
    return f"""
select
    property_id, chosen.period, {label} as label, chosen.{count} as actual,
    coalesce(reach.sessions, 0) as expected
from chosen
left join (
    select property_id, date, segment_name, segment_value, key as {key}, sessions
    from {REACH} where {ASKED} and {DAYS}
) as reach using (property_id, date, segment_name, segment_value, {key})
where {_IS_SHOWN.format("chosen." + count)}
"""


# Of the days that the daily mart has: a day of which sessions could be loaded and events could
# not has rows in reach and none there (that a whole day is lost is the suite `dates`' to say).
_CORE_IS_THERE = f"""
union all
select
    property_id, date::varchar as period, 'core / all / all / ' || step_key as label,
    null as actual, reach.sessions as expected
from (
    select property_id, date, key as step_key, sessions
    from {REACH}
    semi join chosen using (property_id, date)
    where {ASKED} and {DAYS} and segment_name = 'all' and sessions > 0
) as reach
inner join (select key as step_key from seeds.funnel_steps where funnel = 'core') as core
    using (step_key)
anti join (select * from chosen where funnel = 'core' and segment_name = 'all') as mart
    using (property_id, date, step_key)
"""

# A window is the sum of the days that the daily mart has: a day of which only some reports could
# be loaded has rows in reach, and is in neither.
_WINDOW_TOTALS = f"""
select
    chosen.property_id, period, concat_ws(' / ', funnel, 'all', step_key) as label,
    any_value(reached) as actual, coalesce(sum(reach.sessions), 0) as expected
from chosen
left join (
    select property_id, date, key, sessions
    from {REACH}
    semi join marts.fct_funnel_daily using (property_id, date)
    where segment_name = 'all'
) as reach
    on reach.property_id = chosen.property_id and reach.key = chosen.step_key
    and reach.date between chosen.window_start and chosen.window_end
where chosen.segment_name = 'all' and {_IS_SHOWN.format("reached")}
group by all
"""

RATE_TABLES = (
    RateTable(
        "marts.fct_funnel_daily",
        DAY,
        DAYS,
        ("date", "funnel", *_SEGMENT, "step_number"),
        "reached",
        "previous_reached",
        "step_rate",
        _daily_totals(
            "step_key", "reached", "concat_ws(' / ', funnel, segment_name, segment_value, step_key)"
        )
        + _CORE_IS_THERE,
    ),
    RateTable(
        "marts.fct_funnel_window",
        WINDOW,
        TOUCHED,
        ("window_name", "window_start", "window_end", "funnel", *_SEGMENT, "step_number"),
        "reached",
        "previous_reached",
        "step_rate",
        _WINDOW_TOTALS,
    ),
    RateTable(
        "marts.fct_micro_conversion_daily",
        DAY,
        DAYS,
        ("date", *_SEGMENT, "key"),
        "sessions",
        "parent_sessions",
        "micro_rate",
        _daily_totals("key", "sessions", "concat_ws(' / ', segment_name, segment_value, key)"),
    ),
    RateTable(
        "marts.fct_benchmark_comparison",
        WINDOW,
        TOUCHED,
        ("window_name", "window_end", *_SEGMENT, "benchmark_key"),
        "numerator",
        "denominator",
        "rate",
    ),
    RateTable(
        "marts.fct_leak",
        WINDOW,
        TOUCHED,
        ("window_name", "window_end", *_SEGMENT, "step_key"),
        "numerator",
        "denominator",
        "rate",
    ),
)


def rate_slice(table: RateTable) -> Slice:
    """One row per property × period: how many rows break each rule, with the key of one."""
    key = key_text(table.grain)
    grain = ", ".join(("property_id", "period", *table.grain))
    totals = table.totals or (
        "select property_id, period, '' as label, 0 as actual, 0 as expected from chosen"
    )
    rules = ",\n        ".join(counted(name, broken, key) for name, broken in _rules(table))
    return Slice(
        table.table_name,
        f"""
with chosen as (
    select *, {table.period} as period
    from {table.table_name}
    where {ASKED} and {table.in_window}
),
judged as (
    select property_id, period, {rules}
    from chosen group by property_id, period
),
keyed as (
    select property_id, period, {key} as key, count(*) as copies from chosen group by {grain}
),
copied as (
    select property_id, period, {counted("duplicate_keys", "copies > 1", "key")}
    from keyed group by property_id, period
),
totals as ({totals}),
compared as (
    select
        property_id, period,
        {counted("unequal_totals", "actual is distinct from expected", "label")}
    from totals group by property_id, period
)
select
    * replace (coalesce(duplicate_keys, 0) as duplicate_keys,
        coalesce(unequal_totals, 0) as unequal_totals)
from judged
left join copied using (property_id, period)
left join compared using (property_id, period)
order by property_id, period
""",
    )


def _rules(table: RateTable) -> tuple[tuple[str, str], ...]:
    """(measure, SQL of a broken row) for each rule about a rate."""
    rate, above, below = table.rate, table.numerator, table.denominator
    low, high = table.interval
    least = f"{above} is not null" if table.is_loss else f"{above} >= 0"
    is_flagged = f"coalesce({above} > {below}, false)"
    if table.is_loss:
        is_flagged = f"({is_flagged} or coalesce({above} < 0, false))"
    return (
        (
            "rates_without_denominator",
            f"{rate} is not null and not coalesce({least} and {below} > 0, false)",
        ),
        ("rates_not_their_ratio", f"abs({rate} - {above} / nullif({below}, 0)) > {EPSILON}"),
        (
            "rates_out_of_range",
            f"isnan({rate}::double) or (({rate} < 0 or {rate} > 1) and not ("
            f"{is_flagged} and {low} is null and {high} is null))",
        ),
        (
            "broken_intervals",
            f"({low} is null) <> ({high} is null)"
            f" or ({low} is not null and {rate} is null)"
            f" or {low} > {rate} + {EPSILON} or {high} < {rate} - {EPSILON}"
            f" or {low} < 0 or {high} > 1",
        ),
        (
            "rates_of_withheld_numbers",
            f"{rate} is not null and regexp_matches(coalesce(flags, ''), 'sampled|restricted')",
        ),
        ("rows_without_completeness", "is_complete is null or maturity is null"),
    )
