"""Closed funnels from landed events: exactly, in users, and what came next.

Step k is reached at the first moment at or after step k−1 at which an event of step k was sent
(docs/analytics.md, "Counts and rates"); two events of one moment count as ordered. The first
occurrences of the steps alone would not do: who looks at the cart before and after a product has
gone through product → cart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.config.tracking_plan import Funnel, FunnelStep, MicroConversion
from pipelines.export.reports import Counter, matches
from pipelines.ga4.date_windows import Period, in_window
from pipelines.ga4.decode.report_answer import apart_from, shortened_texts
from pipelines.ga4.funnel_request import DEVICE, NEXT_ACTIONS, SESSION_START
from pipelines.ga4.report_spec import ALL, ALL_DEVICES, ORDERED, snake_case
from pipelines.sql_text import literal

_DEVICE = snake_case(DEVICE)
_SECONDS = tuple(name for name in ORDERED if name.startswith("seconds_p"))
_SHARES = [int(name.removeprefix("seconds_p")) / 100 for name in _SECONDS]


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
    found = counter.engine.table(seen_sql(names, counter.files("counts", days)))
    return set(found[0].to_pylist())


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
    counts = [brought_sql(funnel.steps, part) for part in counter.parts("events", inside)]
    table = counter.engine.counted(counts, next_actions_sql)
    named = _named(table, funnel, funnel.steps, window, "next_action", ALL)
    every = pa.repeat(ALL_DEVICES, named.num_rows)
    return [named.append_column(_DEVICE, every)]


def _reached(
    counter: Counter, steps: Sequence[FunnelStep], days: Sequence[date], *, by_day: bool = False
) -> pa.Table:
    """`number` (from 1), `value` (device of the entry, NULL for all), `active_users`, `sessions`
    and the percentiles of their seconds from the step before; where `by_day` each day by itself,
    with its `date`.
    """
    parts = counter.parts("events", days)
    found = counter.engine.counted(
        [units_sql(steps, part, by_day=by_day) for part in parts],
        lambda units: reached_sql(steps, units, by_day=by_day),
    )
    return pa.concat_tables(_step(found, k) for k in _numbers(steps))


def _step(found: pa.Table, k: int) -> pa.Table:
    """The rows of `reached_sql` about one step."""
    seconds = found[f"seconds_{k}"].combine_chunks() if k > 1 else None
    return pa.table(
        {
            **{name: found[name] for name in ("date",) if name in found.column_names},
            "number": pa.repeat(k, found.num_rows),
            "value": found["value"],
            "active_users": found[f"users_{k}"],
            "sessions": found[f"sessions_{k}"],
            **{
                name: pa.nulls(found.num_rows, pa.float64())
                if seconds is None
                else pc.list_element(seconds, place)
                for place, name in enumerate(_SECONDS)
            },
        }
    )


def seen_sql(names: Iterable[str], source: str) -> str:
    """Those of `names` that events of `source` (FROM) have."""
    listed = ", ".join(map(literal, names))
    return f"SELECT DISTINCT event_name FROM {source} WHERE event_name IN ({listed})"


def units_sql(steps: Sequence[FunnelStep], source: str, *, by_day: bool) -> str:
    """Users (`is_user`) and sessions of `source` (FROM) that came to the first step, their device
    there (`entry`), and when they came to each step (`t_k`); of each `date` where `by_day`.
    """
    day, moments = "date, " if by_day else "", ", ".join(f"t_{k}" for k in _numbers(steps))
    found = _found(steps, f"{day}user_key, session_key, moment, position, {_DEVICE}", source)
    return f"WITH {found} " + " UNION ALL ".join(
        f"SELECT {day}{is_user} AS is_user, entry, {moments} FROM "
        + _moments(len(steps), unit, "found", _DEVICE, day)
        for unit, is_user in (("user_key", "true"), ("session_key", "false"))
    )


def reached_sql(steps: Sequence[FunnelStep], units: str, *, by_day: bool) -> str:
    """Users and sessions that came to each step, and the seconds that sessions took for it: one
    row a device of the entry, and one without for all; each day by itself where `by_day`.

    `units` (FROM): rows of `units_sql`. A device on which no user entered first (identifiers are
    those of one browser) has no row of its own, its sessions are in the total.
    """
    every, day = _numbers(steps), "date, " if by_day else ""
    found = [f"count(t_{k}) FILTER (is_user) AS users_{k}" for k in every]
    found += [f"count(t_{k}) FILTER (NOT is_user) AS sessions_{k}" for k in every]
    found += [
        f"quantile_cont((t_{k} - t_{k - 1}) / 1e6, {_SHARES}) FILTER (NOT is_user) AS seconds_{k}"
        for k in every[1:]
    ]
    return f"""
SELECT {day}entry AS value, {", ".join(found)}
FROM {units} AS units
GROUP BY GROUPING SETS (({day}entry), ({day.rstrip(", ")}))
HAVING count(t_1) FILTER (is_user) > 0
"""


def brought_sql(steps: Sequence[FunnelStep], source: str) -> str:
    """Per step (`number`) its `users` by the event that came right after it: `value`, NULL where
    none did, or it is the next step.

    The event that brought a user to a step is the first of that moment that is one of the step.
    """
    last = len(steps)
    following = [
        f"lead({_matches(step)}) OVER own AS next_is_{k}"
        for k, step in enumerate(steps[1:], start=2)
    ] + [f"false AS next_is_{last + 1}"]
    brought = [
        f"{sql} FILTER (moment = t_{k} AND is_{k}) AS {name}_{k}"
        for k in _numbers(steps)
        for sql, name in (
            ("max(moment)", "came"),
            ("arg_min(next_name, place)", "after"),
            (f"arg_min(next_is_{k + 1}, place)", "is_next"),
        )
    ]
    came = " ".join(f"WHEN {k} THEN came_{k} IS NOT NULL" for k in _numbers(steps))
    after = " ".join(
        f"WHEN {k} THEN CASE WHEN NOT is_next_{k} THEN after_{k} END" for k in _numbers(steps)
    )
    return f"""
WITH {_found(steps, "user_key, moment", source)},
placed AS (
    SELECT user_key, moment, {_flags(steps)}, row_number() OVER own AS place,
        lead(event_name) OVER own AS next_name, {", ".join(following)}
    FROM {source} WINDOW own AS (PARTITION BY user_key ORDER BY moment, position)
),
brought AS (
    SELECT user_key, {", ".join(brought)}
    FROM placed JOIN {_moments(last, "user_key", "found")} USING (user_key)
    GROUP BY user_key
),
by_step AS (
    SELECT number, CASE number {came} END AS came, CASE number {after} END AS value
    FROM brought CROSS JOIN unnest({list(_numbers(steps))}) AS steps(number)
)
SELECT number, value, count(*) AS users FROM by_step WHERE came GROUP BY number, value
"""


def next_actions_sql(counts: str) -> str:
    """Per step its users (`value` NULL), and the events that most often came right after it.

    `counts` (FROM): rows of `brought_sql`.
    """
    return f"""
SELECT number, value, active_users FROM (
    SELECT *, row_number() OVER (
        PARTITION BY number, is_total ORDER BY value IS NULL, active_users DESC, value
    ) AS place
    FROM (
        SELECT number, value, grouping(value) AS is_total,
            CAST(sum(users) AS BIGINT) AS active_users
        FROM {counts} AS counts GROUP BY GROUPING SETS ((number, value), (number))
    ) AS counted
) AS ranked
WHERE is_total = 1 OR (value IS NOT NULL AND place <= {NEXT_ACTIONS})
ORDER BY number, value
"""


def _found(steps: Sequence[FunnelStep], columns: str, source: str) -> str:
    """A CTE: the columns of the events of any step, with `is_k`."""
    any_step = " OR ".join(f"is_{k}" for k in _numbers(steps))
    events = f"SELECT {columns}, {_flags(steps)} FROM {source}"
    return f"found AS (SELECT * FROM ({events}) AS events WHERE {any_step})"


def _flags(steps: Sequence[FunnelStep]) -> str:
    """SQL: `is_k`, whether an event is one of step k."""
    return ", ".join(f"({_matches(step)}) AS is_{k}" for k, step in enumerate(steps, start=1))


def _moments(count: int, unit: str, source: str, entry: str = "", day: str = "") -> str:
    """FROM: a unit's `t_k`, when it reached step k, and what stood at its `entry`; only units that
    came to the first step. With a `day` each day by itself.

    A join a step, of minima: these can go on on disk where memory ends, lists of moments cannot.
    """
    keys, name = f"{day}{unit}", f"{unit}_to_"
    first = f", arg_min({entry}, (moment, position)) AS entry" if entry else ""
    steps = [
        f"{name}1 AS (SELECT {keys}, min(moment) AS t_1{first} FROM {source} "
        f"WHERE is_1 AND {unit} IS NOT NULL GROUP BY {keys})"
    ]
    steps += [
        f"{name}{k} AS (SELECT {keys}, min(moment) AS t_{k} FROM {source} "
        f"JOIN {name}{k - 1} USING ({keys}) WHERE is_{k} AND moment >= t_{k - 1} GROUP BY {keys})"
        for k in range(2, count + 1)
    ]
    joined = "".join(f" LEFT JOIN {name}{k} USING ({keys})" for k in range(2, count + 1))
    return f"(WITH {', '.join(steps)} SELECT * FROM {name}1{joined}) AS reached"


def _numbers(steps: Sequence[FunnelStep]) -> range:
    return range(1, len(steps) + 1)


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
