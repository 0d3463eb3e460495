"""Closed funnels from landed events: exactly, in users, and what came next.

Step k is reached at the first moment at or after step k−1 at which an event of step k was sent
(docs/analytics.md, "Counts and rates"); two events of one moment count as ordered. The first
occurrences of the steps alone would not do: who looks at the cart before and after a product has
gone through product → cart.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.config.tracking_plan import Funnel, FunnelStep, MicroConversion
from pipelines.export.reports import Counter, matches
from pipelines.ga4.date_windows import Period, in_window
from pipelines.ga4.decode.report_answer import apart_from, shortened_texts
from pipelines.ga4.funnel_request import DEVICE, NEXT_ACTIONS, SESSION_START
from pipelines.ga4.report_spec import ALL, ALL_DEVICES, ORDERED, snake_case

_DEVICE = snake_case(DEVICE)
_SECONDS = tuple(name for name in ORDERED if name.startswith("seconds_p"))
_SHARES = tuple(int(name.removeprefix("seconds_p")) / 100 for name in _SECONDS)


def step_counts(
    counter: Counter,
    funnel: Funnel,
    steps: Sequence[FunnelStep],
    periods: Sequence[Period],
    days: Sequence[date],
) -> list[pa.Table]:
    """A funnel's users by step and device over several periods: raw columns of `funnel`, one
    table a period. A step that nobody reached is 0 for every device that entered.
    """  # fmt: skip
    found = list[pa.Table]()
    single = [period for period in periods if period.name == "1d"]
    for period in periods:
        inside = [day for day in days if period.start <= day <= period.end]
        if period not in single and inside:
            rows = _reached(counter, steps, inside)
            found.append(_named(rows, funnel, steps, period, _DEVICE))
    if asked := [period.end for period in single if period.end in set(days)]:
        # One query for all days: each by itself reads and plans as much as all of them.
        rows = _reached(counter, steps, asked, by_day=True)
        found += [
            _named(rows.filter(pc.equal(rows["date"], period.end)), funnel, steps, period, _DEVICE)
            for period in single
        ]
    return found


def events_seen(counter: Counter, names: Sequence[str], days: Sequence[date]) -> set[str]:
    """Those of `names` that some event of the days has."""
    if not days:
        return set()
    found = counter.cursor.execute(
        f"SELECT DISTINCT event_name FROM {counter.files('counts.parquet', days)} "
        "WHERE event_name IN (SELECT unnest(?))",
        [list(names)],
    ).fetchall()
    return {name for (name,) in found}


def next_actions(
    counter: Counter, funnel: Funnel, window: Period, days: Sequence[date]
) -> list[pa.Table]:
    """Per step its users (`(all)`), and the events that most often came right after it.

    Left out of these are users without another event, and those whose next event is the next
    step. The raw columns of `funnel_next_action`.
    """
    inside = [day for day in days if window.start <= day <= window.end]
    if not inside:
        return []
    flags, moments = _chain(funnel.steps)
    last = len(funnel.steps)
    ranked = " UNION ALL ".join(
        f"(SELECT {k} AS number, after_{k} AS value, count(*) AS active_users FROM placed "
        f"WHERE t_{k} IS NOT NULL AND after_{k} IS NOT NULL"
        + (f" AND NOT is_next_{k}" if k < last else "")
        + f" GROUP BY 2 ORDER BY 3 DESC, 2 LIMIT {NEXT_ACTIONS})"
        for k in range(1, last + 1)
    )
    totals = " UNION ALL ".join(
        f"SELECT {k}, NULL, count(t_{k}) FROM chained" for k in range(1, last + 1)
    )
    # The event that brought a user to a step is the first of that moment that is one of the step.
    brought = ", ".join(
        f"min(event_place) FILTER (moment = t_{k} AND is_{k}) AS place_{k}"
        for k in range(1, last + 1)
    )
    after = ", ".join(
        f"max(event_name) FILTER (event_place = place_{k} + 1) AS after_{k}, "
        + (
            f"coalesce(bool_or(is_{k + 1}) FILTER (event_place = place_{k} + 1), false)"
            if k < last
            else "false"
        )
        + f" AS is_next_{k}"
        for k in range(1, last + 1)
    )
    table = counter.cursor.execute(
        f"""
WITH placed_events AS (
    SELECT user_key, moment, event_name, {flags},
        row_number() OVER (PARTITION BY user_key ORDER BY moment, position) AS event_place
    FROM {counter.files("events.parquet", inside)}
),
times AS ({_times(len(funnel.steps), "user_key", "placed_events")}),
chained AS (SELECT user_key, {moments} FROM times WHERE len(times_1) > 0),
brought AS (
    SELECT user_key, {brought} FROM placed_events JOIN chained USING (user_key) GROUP BY user_key
),
placed AS (
    SELECT chained.*, found.* EXCLUDE (user_key) FROM chained JOIN (
        SELECT user_key, {after} FROM placed_events JOIN brought USING (user_key) GROUP BY user_key
    ) AS found USING (user_key)
)
SELECT * FROM ({ranked} UNION ALL {totals}) WHERE active_users > 0 ORDER BY number, value
"""
    ).to_arrow_table()
    named = _named(table, funnel, funnel.steps, window, "next_action", ALL)
    every = pa.repeat(ALL_DEVICES, named.num_rows)
    return [named.append_column(_DEVICE, every)]


def _reached(
    counter: Counter, steps: Sequence[FunnelStep], days: Sequence[date], *, by_day: bool = False
) -> pa.Table:
    """`number` (from 1), `value` (device of the entry, NULL for all), `active_users`, `sessions`
    and the percentiles of their seconds from the step before; where `by_day` each day by itself,
    with its `date`. A device on which no user entered first (identifiers are those of one browser)
    has no row of its own, its sessions are in the total.
    """
    flags, _ = _chain(steps)
    any_step = " OR ".join(f"is_{k}" for k in range(1, len(steps) + 1))
    day = ["date"] if by_day else []
    keys = [*day, "number", "value"]
    named = ", ".join(f"of_users.{key}" for key in keys)
    same = " AND ".join(f"of_users.{key} IS NOT DISTINCT FROM of_sessions.{key}" for key in keys)
    return counter.cursor.execute(
        f"""
WITH found AS (
    SELECT {", ".join([*day, ""])}user_key, session_key, moment, position, {_DEVICE}, {flags}
    FROM {counter.files("events.parquet", days)}
),
of_users AS ({_counted(steps, "user_key", f"found WHERE {any_step}", day)}),
of_sessions AS (
    {_counted(steps, "session_key", f"found WHERE session_key IS NOT NULL AND ({any_step})", day)}
)
SELECT {named}, of_users.units AS active_users,
    coalesce(of_sessions.units, 0) AS sessions,
    {", ".join(f"of_sessions.seconds[{n}] AS {name}" for n, name in enumerate(_SECONDS, start=1))}
FROM of_users LEFT JOIN of_sessions ON {same}
"""
    ).to_arrow_table()


def _counted(steps: Sequence[FunnelStep], unit: str, source: str, day: list[str]) -> str:
    """SQL: units (users or sessions) that came to each step, and how long it took them."""
    _, moments = _chain(steps)
    shares = "[" + ", ".join(str(share) for share in _SHARES) + "]"
    taken = ["NULL::DOUBLE[] AS q_1"] + [
        f"quantile_cont((t_{k} - t_{k - 1}) / 1e6, {shares}) FILTER (t_{k} IS NOT NULL) AS q_{k}"
        for k in range(2, len(steps) + 1)
    ]
    every = range(1, len(steps) + 1)
    counted = ", ".join([*(f"count(t_{k}) AS n_{k}" for k in every), *taken])
    days = ", ".join([*day, ""])
    return f"""
SELECT {days}unnest(range(1, {len(steps) + 1}))::INTEGER AS number, value,
    unnest([{", ".join(f"n_{k}" for k in every)}]) AS units,
    unnest([{", ".join(f"q_{k}" for k in every)}]) AS seconds
FROM (
    SELECT {days}entry AS value, {counted}
    FROM (
        SELECT {days}entry, {moments}
        FROM ({_times(len(steps), days + unit, source, entry=_DEVICE)})
        WHERE len(times_1) > 0
    )
    GROUP BY GROUPING SETS (({days}entry), ({", ".join(day)})) HAVING count(*) > 0
)
"""


def _chain(steps: Sequence[FunnelStep]) -> tuple[str, str]:
    """SQL: `is_k`, whether an event is one of step k; and `t_k`, when step k was reached."""
    flags = ", ".join(f"({_matches(step)}) AS is_{k}" for k, step in enumerate(steps, start=1))
    moments = ["times_1[1] AS t_1"] + [
        f"list_filter(times_{k}, lambda moment: moment >= t_{k - 1})[1] AS t_{k}"
        for k in range(2, len(steps) + 1)
    ]
    return flags, ", ".join(moments)


def _times(count: int, unit: str, source: str, entry: str = "") -> str:
    """SQL: a unit's moments of each step, in order, and what stands at its entry."""
    lists = ", ".join(
        f"list_sort(coalesce(list(moment) FILTER (is_{k}), [])) AS times_{k}"
        for k in range(1, count + 1)
    )
    first = f", arg_min({entry}, (moment, position)) FILTER (is_1) AS entry" if entry else ""
    return f"SELECT {unit}, {lists}{first} FROM {source} GROUP BY {unit}"


def _matches(step: FunnelStep) -> str:
    return matches(step.micro_conversion or MicroConversion(step.key, (SESSION_START,), ()))


def _named(
    rows: pa.Table,
    funnel: Funnel,
    steps: Sequence[FunnelStep],
    period: Period,
    value: str,
    every: str = ALL_DEVICES,
) -> pa.Table:
    place = pc.subtract(rows["number"], 1).combine_chunks()
    values = rows["value"].combine_chunks().cast(pa.string())
    texts = apart_from(every, shortened_texts(pc.fill_null(values, "")))
    named = pa.table(
        {
            "funnel": pa.repeat(funnel.name, rows.num_rows),
            value: pc.if_else(values.is_null(), every, texts),
            "step_number": pa.array([step.number for step in steps], pa.int32()).take(place),
            "step_key": pa.array([step.key for step in steps], pa.string()).take(place),
            "active_users": rows["active_users"].cast(pa.int64()),
            **{name: rows[name] for name in ORDERED if name in rows.column_names},
        }
    )
    return in_window(named, period)
