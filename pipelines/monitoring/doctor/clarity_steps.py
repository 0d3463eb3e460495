"""Clarity of a property: is there a token, did the last night's snapshot come, what is left of the
calls of the day. No call is made for it: there are ten a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.config.second_sources import Clarity
from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.monitoring.doctor.step_model import Step, not_checked, not_yet, right, wrong
from pipelines.sources.clarity.client import HOURS_A_DAY, MOST_CALLS, MOST_DAYS
from pipelines.sources.clarity.source import last_snapshot
from pipelines.sources.contract import SourceError
from pipelines.sources.token import read_token
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.newest_fetches import NEWEST_FETCHES
from pipelines.warehouse.source_calls import calls_of_day
from pipelines.wording import counted

CLARITY = "clarity"
_PROBLEM = f"select problem from {NEWEST_FETCHES} where source = '{CLARITY}' and property_id = ?"


def clarity_steps(settings: Settings, property_id: str, now: datetime) -> tuple[Step, ...]:
    """None where the property has no Clarity."""
    entry = next((one for one in settings.clarity if one.property == property_id), None)
    return () if entry is None else (_step(settings, entry, now),)


def _step(settings: Settings, entry: Clarity, now: datetime) -> Step:
    try:
        read_token(entry, "Clarity")
    except SourceError as error:
        return wrong(CLARITY, str(error))
    new = not_yet(
        CLARITY,
        "The next night takes the first snapshot, of the 72 hours before it; nothing older can be "
        "had.",
    )
    if not settings.build_db.exists():
        return new
    try:
        with build_database(settings.build_db, read_only=True) as connection:
            if not connection.execute(
                "select 1 from duckdb_tables() where table_name = 'clarity_page'"
            ).fetchone():
                return new
            last = last_snapshot(connection, entry.property, now)
            calls = calls_of_day(connection, CLARITY, entry.property, now)
            (problem,) = connection.execute(_PROBLEM, [entry.property]).fetchone() or (None,)
    except WarehouseError:
        return not_checked(CLARITY, "a run has the build database open")
    facts = {"calls": calls, "last_snapshot": None if last is None else last.isoformat()}
    if problem:
        return wrong(CLARITY, problem, facts=facts)
    if last is None:
        return new
    said = f"snapshot of {last:%Y-%m-%d %H:%M} UTC, {calls} of {MOST_CALLS} calls in 24 hours"
    hours = int((now - last) / timedelta(hours=1))
    if hours > MOST_DAYS * HOURS_A_DAY:
        return wrong(
            CLARITY,
            f"The newest {said}: {counted(hours - MOST_DAYS * HOURS_A_DAY, 'hour')} are lost by "
            "now; see that 'sluice nightly' runs every night.",
            facts=facts,
        )
    return right(CLARITY, said, facts=facts)
