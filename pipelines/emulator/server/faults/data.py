"""Faults of the data: the same tables with other events in them, for one request.

Every report, funnel and total of the request reads the same SQL in the place of `hits`, and nothing
else changes. Sessions and users that are counted several times get identifiers of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from zoneinfo import ZoneInfo

from pipelines.emulator.server.dates import DateRange
from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.faults.actions import Rows
from pipelines.emulator.server.faults.book import Effects
from pipelines.emulator.server.faults.matching import Days
from pipelines.emulator.server.faults.realism import Growth
from pipelines.emulator.server.fields import Catalogue
from pipelines.emulator.server.tables import UNASSIGNED

# What a session is told by; events without one go with their user.
SESSION = "coalesce(session_id, -user_id)"
# What GA4 shows until it knows where a session came from.
_UNASSIGNED = {
    "channel_group": UNASSIGNED,
    "session_source": "(not set)",
    "session_medium": "(not set)",
    "session_campaign": "(not set)",
}
# Copies of copies must not meet: each fault shifts identifiers further than the one before.
_FIRST_SHIFT, _SHIFT_STEP = 40, 6
_MANY = 10_000


def quoted(text: str) -> str:
    """An SQL literal: views cannot have parameters."""
    return "'" + text.replace("'", "''") + "'"


def share_of(unit: str, share: float) -> str:
    """Condition: a share of the sessions or users, always the same ones."""
    return f"hash({unit}) % {_MANY} < {round(share * _MANY)}"


def visible_hits(
    effects: Effects, fields: Catalogue, zone: ZoneInfo, dates: Sequence[DateRange]
) -> str:
    """What to read as `hits`: the table, or a query where a fault or the newest days change it.

    `zone` is the property's own: its days do not change when a fault gives it another. `dates` are
    those of the request.
    """
    growth = _growth(effects, zone, dates)
    kept = list(_kept(effects, fields, growth))
    copies = list(_copies(effects, fields))
    if not kept and not copies:
        return "hits"
    sql = f"SELECT * FROM ({_grown(growth)}) WHERE {' AND '.join(kept) or 'true'}"
    for index, times in enumerate(copies):
        shift = f"copy << {_FIRST_SHIFT + index * _SHIFT_STEP}"
        sql = (
            f"SELECT * EXCLUDE (copy) REPLACE (session_id + ({shift}) AS session_id, "
            f"user_id + ({shift}) AS user_id) "
            f"FROM (SELECT *, unnest(range({times})) AS copy FROM ({sql}))"
        )
    return f"({sql}) AS hits"


def _growth(effects: Effects, zone: ZoneInfo, dates: Sequence[DateRange]) -> Growth | None:
    """How the newest days grow, where they are read: planning that takes longer than a small shop's
    answer. What is rolled into `(other)` is told by all days, whichever are read.
    """
    if effects.realism is None:
        return None
    growth = Growth(effects.realism, effects.property_id, effects.now, zone, SESSION)
    is_read = any(growth.reaches(one.end) for one in dates) or any(do.other for do in effects.dos)
    return growth if is_read else None


def _grown(growth: Growth | None) -> str:
    """All events; of a session whose channel is not known yet, what is shown instead."""
    if growth is None:
        return "FROM hits"
    shown = ", ".join(
        f"CASE WHEN waits THEN '{text}'::word ELSE {column} END AS {column}"
        for column, text in _UNASSIGNED.items()
    )
    return (
        f"SELECT * EXCLUDE (waits) REPLACE ({shown}) "
        f"FROM (SELECT *, {growth.unassigned()} AS waits FROM hits)"
    )


def _kept(effects: Effects, fields: Catalogue, growth: Growth | None) -> Iterator[str]:
    """Conditions of the events that stay."""
    if growth:
        yield growth.arrived()
    for do in effects.dos:
        if do.sampling:
            yield share_of("user_id", do.sampling.share)
        if do.empty:
            yield "false"
        if do.vanish:
            yield f"NOT ({_rows(do.vanish, fields)})"
        if do.late and effects.now < do.late.visible_from:
            yield f"NOT ({_rows(do.late, fields)})"
        if do.truncate and do.truncate.before:
            yield f"event_date >= '{do.truncate.before}'"


def _copies(effects: Effects, fields: Catalogue) -> Iterator[str]:
    """How often each event is counted, one expression per fault."""
    for do in effects.dos:
        if do.restate:
            whole, part = divmod(do.restate.factor, 1)
            times = f"{int(whole)} + CAST({share_of(SESSION, part)} AS INTEGER)"
            yield f"CASE WHEN {_rows(do.restate, fields)} THEN {times} ELSE 1 END"


def _rows(rows: Rows, fields: Catalogue) -> str:
    """Condition of the events that a fault is about."""
    found = ["true"]
    if rows.dates:
        found += _date_conditions(rows.dates)
    if rows.events:
        found.append(f"event_name IN ({_list(rows.events)})")
    for name, values in rows.where.items():
        known = fields.dimensions.get(name)
        if known is None or known.scope == "item":
            raise EmulatorError(f"The faults name {name} under where: it is no event dimension.")
        found.append(f"{known.sql} IN ({_list(values)})")
    if rows.share < 1:
        found.append(share_of(SESSION, rows.share))
    return " AND ".join(found)


def _date_conditions(days: Days) -> Iterator[str]:
    if days.days is not None:
        yield f"event_date IN ({_list(map(str, days.days))})"
    if days.start:
        yield f"event_date >= '{days.start}'"
    if days.end:
        yield f"event_date <= '{days.end}'"


def _list(texts: Iterable[str]) -> str:
    return ", ".join(map(quoted, texts))
