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
    source = counter.files("events", inside)
    table = counter.engine.table(next_actions_sql(funnel.steps, source))
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
    found = counter.engine.table(reached_sql(steps, counter.files("events", days), by_day=by_day))
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


def reached_sql(steps: Sequence[FunnelStep], source: str, *, by_day: bool) -> str:
    """Users and sessions that came to each step, and the seconds that sessions took for it: one
    row a device of the entry, and one without for all; each day by itself where `by_day`.

    A device on which no user entered first (identifiers are those of one browser) has no row of
    its own, its sessions are in the total.
    """
    every, day = _numbers(steps), "date, " if by_day else ""
    seconds = f"quantile_cont((t - t_before) / 1e6, {_SHARES})"
    found = [f"count(*) FILTER (is_user AND number = {k}) AS users_{k}" for k in every]
    found += [f"count(*) FILTER (NOT is_user AND number = {k}) AS sessions_{k}" for k in every]
    found += [f"{seconds} FILTER (NOT is_user AND number = {k}) AS seconds_{k}" for k in every[1:]]
    events = _found(steps, f"{day}user_key, session_key, moment, position, {_DEVICE}", source)
    units = {"user_key": "true", "session_key": "false"}
    came = [_came(steps, unit, _DEVICE, day) for unit in units]
    moments = " UNION ALL ".join(
        f"SELECT {day}{is_user} AS is_user, {k} AS number, entry, t, t_before FROM {unit}_to_{k}"
        for unit, is_user in units.items()
        for k in every
    )
    return f"""
WITH {events}, {", ".join(came)}
SELECT {day}entry AS value, {", ".join(found)}
FROM ({moments}) AS units
GROUP BY GROUPING SETS (({day}entry), ({day.rstrip(", ")}))
HAVING count(*) FILTER (is_user AND number = 1) > 0
"""


def next_actions_sql(steps: Sequence[FunnelStep], source: str) -> str:
    """Per step its users (`value` NULL), and the events that most often came right after it.

    The event that brought a user to a step is the first of that moment that is one of the step.
    """
    every = _numbers(steps)
    following = [f"lead(is_{k}) OVER own AS next_is_{k}" for k in every[1:]]
    following.append(f"false AS next_is_{len(steps) + 1}")
    is_step = " ".join(f"WHEN {k} THEN is_{k}" for k in every)
    is_next = " ".join(f"WHEN {k} THEN next_is_{k + 1}" for k in every)
    moments = " UNION ALL ".join(
        f"SELECT user_key, {k} AS number, t FROM user_key_to_{k}" for k in every
    )
    return f"""
WITH {_found(steps, "user_key, moment", source)}, {_came(steps, "user_key")},
placed AS (
    SELECT user_key, moment, position, {", ".join(f"is_{k}" for k in every)},
        lead(event_name) OVER own AS next_name, {", ".join(following)}
    FROM (SELECT user_key, moment, position, event_name, {_flags(steps)} FROM {source}) AS events
    WINDOW own AS (PARTITION BY user_key ORDER BY moment, position)
),
brought AS (
    SELECT number,
        arg_min(next_name, position) AS next_name,
        arg_min(CASE number {is_next} END, position) AS is_next
    FROM placed JOIN ({moments}) AS moments USING (user_key)
    WHERE ({_any_of(steps)}) AND moment = t AND CASE number {is_step} END
    GROUP BY user_key, number
),
by_step AS (
    SELECT number, CASE WHEN NOT is_next THEN next_name END AS value FROM brought
)
SELECT number, value, active_users FROM (
    SELECT *, row_number() OVER (
        PARTITION BY number, is_total ORDER BY value IS NULL, active_users DESC, value
    ) AS place
    FROM (
        SELECT number, value, grouping(value) AS is_total, count(*) AS active_users
        FROM by_step GROUP BY GROUPING SETS ((number, value), (number))
    ) AS counted
) AS ranked
WHERE is_total = 1 OR (value IS NOT NULL AND place <= {NEXT_ACTIONS})
ORDER BY number, value
"""


def _found(steps: Sequence[FunnelStep], columns: str, source: str) -> str:
    """A CTE: the columns of the events of any step, with `is_k`."""
    events = f"SELECT {columns}, {_flags(steps)} FROM {source}"
    return f"found AS (SELECT * FROM ({events}) AS events WHERE {_any_of(steps)})"


def _any_of(steps: Sequence[FunnelStep]) -> str:
    return " OR ".join(f"is_{k}" for k in _numbers(steps))


def _flags(steps: Sequence[FunnelStep]) -> str:
    """SQL: `is_k`, whether an event is one of step k."""
    return ", ".join(f"({_matches(step)}) AS is_{k}" for k, step in enumerate(steps, start=1))


def _came(steps: Sequence[FunnelStep], unit: str, entry: str = "", day: str = "") -> str:
    """CTEs `<unit>_to_k` over `found`: the units that came to step k, when they did (`t`) and had
    come to the step before (`t_before`), and what stood at their `entry`. With a `day` each by
    itself.

    A join a step, of minima: these can go on on disk where memory ends, lists of moments cannot.
    Nor can all steps side by side in one row: each of their joins stays in memory until the last.
    """
    keys, name = f"{day}{unit}", f"{unit}_to_"
    first = f", arg_min({entry}, (moment, position)) AS entry" if entry else ""
    kept = ", min(entry) AS entry" if entry else ""
    found = [
        f"{name}1 AS (SELECT {keys}, min(moment) AS t, CAST(NULL AS BIGINT) AS t_before{first} "
        f"FROM found WHERE is_1 AND {unit} IS NOT NULL GROUP BY {keys})"
    ]
    found += [
        f"{name}{k} AS (SELECT {keys}, min(moment) AS t, min(t) AS t_before{kept} FROM found "
        f"JOIN {name}{k - 1} USING ({keys}) WHERE is_{k} AND moment >= t GROUP BY {keys})"
        for k in _numbers(steps)[1:]
    ]
    return ", ".join(found)


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
