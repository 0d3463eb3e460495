"""Experiments from landed events: exactly, user by user.

The first exposure decides which variant a user is in, and what was done later than that counts, up
to the experiment's last day; users who were shown several variants are left out. The unit is the
user, so a rate of sessions has the delta method's variance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd
import pyarrow as pa

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import Per
from pipelines.experiments.exposed import AROUND, Exposed, outside_note, variants_of
from pipelines.export.reports import Counter, matches
from pipelines.ga4.date_windows import days_between
from pipelines.sql_text import identifier, literal
from pipelines.wording import counted, shown

MOST_VALUES = 1000
"""Values of the parameter that are looked at: more are no variants."""

_OF_SESSIONS = "Rates are of the users' sessions from the exposure on; the unit is the user."


def experiment_outcomes(counter: Counter, one: Exposed, landed: Sequence[date]) -> Outcomes:
    """Users by the day of their first exposure, and what they did after it; `landed` is sorted.

    Raises ExperimentError: no day is landed, nobody was exposed, or the variants are others.
    """
    days = one.days(landed)
    name = f"the export of property {one.entry.property_id}"
    if landed and landed[-1] < one.entry.start:
        raise ExperimentError(
            f"It began on {one.entry.start}, and the newest day of {name} is {landed[-1]}: nothing "
            "is there to count yet."
        )
    if not days:
        raise ExperimentError(
            f"No day of the experiment {shown(one.entry.id)} ({one.entry.start} on) is landed of "
            f"{name}: 'sluice backfill' lands older days."
        )
    where = f"{name} from {days[0]} to {days[-1]}"
    around = [day for day in landed if days[0] - AROUND <= day <= days[-1] + AROUND]
    source = counter.files("events", around)
    seen = counter.engine.table(exposures_sql(one, source)).to_pylist()
    inside = {row["value"]: row["users"] for row in seen if row["users"]}
    variants = variants_of(one, inside, where)
    table = counter.engine.table(outcomes_sql(one, variants, counter.files("events", days)))
    before, after = (
        sum(row[side] for row in seen if row["value"] in variants) for side in ("before", "after")
    )
    per = _OF_SESSIONS if one.trial.per is Per.SESSION else ""
    notes = (per, outside_note(one, before, after), _lacking(one, days))
    return _outcomes(one, table, days, tuple(note for note in notes if note))


def exposures_sql(one: Exposed, source: str) -> str:
    """Value of the parameter → users of `source` (FROM) who were exposed to it on the experiment's
    days, `before` and `after` them; values that may be the experiment's first.
    """
    value = identifier(f"param_{one.exposure.parameter}")
    start, end = (literal(str(day)) for day in (one.entry.start, one.entry.end or date.max))
    of_side = {
        "before": f"date < CAST({start} AS DATE)",
        "after": f"date > CAST({end} AS DATE)",
        "users": f"date BETWEEN CAST({start} AS DATE) AND CAST({end} AS DATE)",
    }
    counts = ", ".join(
        f"count(DISTINCT CASE WHEN {on_day} THEN user_key END) AS {side}"
        for side, on_day in of_side.items()
    )
    known = one.exposure.values.values()
    likely = (
        f"{value} IN ({', '.join(map(literal, known))})"
        if known
        else f"strpos({value}, {literal(one.entry.id)}) > 0"
    )
    return f"""
SELECT {value} AS value, {counts}
FROM {source}
WHERE event_name = {literal(one.exposure.event)} AND {value} IS NOT NULL
GROUP BY {value}
ORDER BY max(CASE WHEN {likely} THEN 1 ELSE 0 END) DESC, users DESC, value
LIMIT {MOST_VALUES}
"""


def outcomes_sql(one: Exposed, variants: Mapping[str, str], source: str) -> str:
    """Sums over the users of each variant (its place in the register) and first exposure's date.

    Users of several variants have no `variant`. `numerator` x and `denominator` n are of each user
    1 or 0 and 1, or sessions with the key and sessions from the exposure on; `xx`, `nn` and `xn`
    are what the delta method needs of them.
    """
    order = list(one.trial.variants)
    value = identifier(f"param_{one.exposure.parameter}")
    cases = " ".join(
        f"WHEN {literal(text)} THEN {order.index(name)}" for text, name in variants.items()
    )
    later = "moment > shown_at"
    if one.trial.per is Per.SESSION:
        x = f"count(DISTINCT CASE WHEN is_primary AND {later} THEN session_key END)"
        n = "count(DISTINCT CASE WHEN moment >= shown_at THEN session_key END)"
        needed = "true"
    else:
        x, n = f"max(CASE WHEN is_primary AND {later} THEN 1 ELSE 0 END)", "1"
        needed = "variant IS NOT NULL OR is_primary OR is_guardrail OR revenue_micros <> 0"
    return f"""
WITH found AS (
    SELECT * FROM (
        SELECT
            date, user_key, session_key, moment, revenue_micros,
            CASE WHEN event_name = {literal(one.exposure.event)} THEN CASE {value} {cases} END END
                AS variant,
            ({matches(one.primary)}) AS is_primary,
            ({matches(one.guardrail)}) AS is_guardrail
        FROM {source}
    ) AS events WHERE {needed}
),
exposed AS (
    SELECT
        user_key, min(moment) AS shown_at, min(date) AS shown_on,
        CASE WHEN min(variant) = max(variant) THEN min(variant) END AS variant
    FROM found
    WHERE variant IS NOT NULL
    GROUP BY user_key
),
users AS (
    SELECT
        exposed.variant, shown_on, found.user_key, {x} AS x, {n} AS n,
        max(CASE WHEN is_guardrail AND {later} THEN 1 ELSE 0 END) AS macro,
        sum(CASE WHEN {later} THEN revenue_micros ELSE 0 END) AS revenue_micros
    FROM found
    INNER JOIN exposed ON found.user_key = exposed.user_key
    GROUP BY exposed.variant, shown_on, found.user_key
)
SELECT
    variant, shown_on, CAST(count(*) AS BIGINT) AS users,
    CAST(sum(x) AS BIGINT) AS numerator, CAST(sum(n) AS BIGINT) AS denominator,
    CAST(sum(x * x) AS BIGINT) AS xx, CAST(sum(n * n) AS BIGINT) AS nn,
    CAST(sum(x * n) AS BIGINT) AS xn, CAST(sum(macro) AS BIGINT) AS macro_converted,
    CAST(sum(revenue_micros) AS DOUBLE) / 1e6 AS revenue
FROM users
GROUP BY variant, shown_on
"""


def _outcomes(
    one: Exposed, table: pa.Table, days: Sequence[date], notes: tuple[str, ...]
) -> Outcomes:
    """A row for every day and variant, also where nobody was exposed."""
    rows = table.to_pandas()
    several = rows["variant"].isna()
    left_out = int(rows.loc[several, "users"].sum())
    kept = rows[~several].astype({"variant": "int64"})
    kept["shown_on"] = pd.to_datetime(kept["shown_on"]).dt.date
    names = dict(enumerate(one.trial.variants))
    every = pd.MultiIndex.from_product([days, names], names=["shown_on", "variant"])
    grid = kept.set_index(["shown_on", "variant"]).reindex(every, fill_value=0).reset_index()
    grid["variant"] = grid["variant"].map(names)
    return Outcomes.from_sums(
        grid.rename(columns={"shown_on": "date"}),
        left_out=left_out,
        notes=notes,
        is_share=one.trial.per is Per.USER,
    )


def _lacking(one: Exposed, days: Sequence[date]) -> str:
    """A sentence on days between its start and the newest one that are not landed."""
    wanted = days_between(one.entry.start, days[-1])
    lacking = sorted(set(wanted) - set(days))
    if not lacking:
        return ""
    return (
        f"Not landed of its {counted(len(wanted), 'day')} to {days[-1]}: {len(lacking)}, first "
        f"{lacking[0]}; who was exposed then counts from the next exposure on."
    )
