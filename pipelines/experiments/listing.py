"""The register as a list: what the last published night read of it, and what is new since."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import duckdb

from pipelines.analysis.experiments.register import OVER, Kind, Register, State
from pipelines.errors import WarehouseError
from pipelines.warehouse.change_register import FACTS, registered_row
from pipelines.warehouse.connect import published_database
from pipelines.warehouse.rows import rows_of

_LISTED = f"""
    with verdicts as (
        select distinct property_id, experiment_id, experiment_verdict, experiment_reason, edits
        from marts.fct_experiment
    )
    select
        change_id as id, kind, entries.property_id, description, start_date as start,
        end_date as end, state, experiment_verdict as verdict,
        coalesce(experiment_reason, if(overlap, 'overlaps with ' || overlaps_with, '')) as reason,
        if(overlap, string_split(overlaps_with, ', '), []) as overlaps_with, edits
    from marts.fct_change_overlap as entries
    left join verdicts
        on entries.property_id = verdicts.property_id and change_id = experiment_id
    order by kind = 'change', state in {OVER}, start_date desc, change_id
"""
# What a night works out; the rest of a row is what the register said.
_WORKED_OUT = ("state", "problem", *FACTS)


class Since(StrEnum):
    """What became of an entry in the register since the night."""

    NEW = "new"
    CHANGED = "changed"
    TAKEN_OUT = "taken out"


@dataclass(frozen=True)
class Entry:
    """A line of the list; `reason` says why the verdict is what it is, or why there is none.

    `edits` says what was changed after its start; `since_night` is None where the register still
    says what the night read.
    """

    id: str
    kind: Kind
    property_id: str
    description: str
    start: date
    end: date | None
    state: State
    verdict: str | None
    reason: str
    overlaps_with: list[str]
    edits: str | None
    since_night: Since | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def list_entries(register: Register | None, today: date, published_dir: Path) -> list[Entry]:
    """What the page has, experiments first; then what no night has read yet.

    Without a register, as where only a home is at hand, nothing is known of what is new.
    """
    listed, read = _published(published_dir)
    if register is None:
        return [_entry(row, None) for row in listed]
    own = {
        entry.id: registered_row(entry, register.meetings[entry.id], today)
        for entry in register.entries
    }
    known = {row["id"] for row in listed}
    return [
        *(_entry(row, _since(read.get(row["id"]), own.get(row["id"]))) for row in listed),
        *(_new(row) for name, row in own.items() if name not in known),
    ]


def _entry(row: Mapping[str, Any], since: Since | None) -> Entry:
    """Of a row of `_LISTED`."""
    kinds = {"kind": Kind(row["kind"]), "state": State(row["state"])}
    return Entry(**{**row, **kinds}, since_night=since)


def _since(read: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> Since | None:
    """Of rows of `ops.changes`: what the night read, and what the register says now."""
    if read is None:
        return Since.CHANGED
    if now is None:
        is_over = read["state"] in OVER
        return None if is_over and read["kind"] == Kind.EXPERIMENT else Since.TAKEN_OUT
    is_same = all(read[name] == value for name, value in now.items() if name not in _WORKED_OUT)
    return None if is_same else Since.CHANGED


def _new(row: Mapping[str, Any]) -> Entry:
    """Of a row of `ops.changes` that no night has written yet."""
    return Entry(
        id=row["change_id"],
        kind=Kind(row["kind"]),
        property_id=row["property_id"],
        description=row["description"],
        start=row["start_date"],
        end=row["end_date"],
        state=State(row["state"]),
        verdict=None,
        reason="",
        overlaps_with=json.loads(row["overlaps_with"]),
        edits=None,
        since_night=Since.NEW,
    )


def _published(published_dir: Path) -> tuple[list[dict[str, Any]], dict[str, dict[str, Any]]]:
    """Rows of `_LISTED`, and id → row of `ops.changes`; none of a version made before there were
    both, or where nothing is published.
    """
    try:
        with published_database(published_dir) as connection:
            listed = rows_of(connection, _LISTED)
            read = rows_of(connection, "select * from ops.changes")
    except (WarehouseError, duckdb.CatalogException, duckdb.BinderException):
        return [], {}
    return listed, {row["change_id"]: row for row in read}
