"""Clarity of a property: is there a token, did the last night's snapshot come, what is left of the
calls of the day. No call is made for it: there are ten a day.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from pipelines.config.settings import Clarity, Settings
from pipelines.errors import WarehouseError
from pipelines.monitoring.doctor.step_model import Step, not_checked, not_yet, right, wrong
from pipelines.sources.clarity.client import HOURS_A_DAY, MOST_CALLS, MOST_DAYS
from pipelines.sources.contract import SourceError
from pipelines.sources.token import read_token
from pipelines.warehouse.connect import build_database
from pipelines.wording import counted

CLARITY = "clarity"
_LAST = """
    select
        (select max(window_end) from raw.clarity_page where property_id = $property),
        (
            select count(*) from ops.source_calls
            where source = 'clarity' and property_id = $property and called_at > $since
        ),
        (
            select arg_max(if(status = 'loaded', null, message), fetched_at) from (
                select * from ops.fetches where source = 'clarity' and property_id = $property
                qualify row_number() over (order by fetched_at desc) = 1
            )
        )
"""


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
            row = connection.execute(
                _LAST,
                {"property": entry.property, "since": now - timedelta(hours=HOURS_A_DAY)},
            ).fetchone()
    except WarehouseError:
        return not_checked(CLARITY, "a run has the build database open")
    assert row is not None
    last, calls, problem = row
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
