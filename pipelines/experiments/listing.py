"""The register as a list: where each entry stands, and what an experiment's outcomes say."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import Change, Kind, Register, State
from pipelines.errors import WarehouseError
from pipelines.experiments.registered import analyse_registered
from pipelines.warehouse.connect import published_database

_PUBLISHED = """
    select experiment_id, experiment_verdict, experiment_reason from marts.fct_experiment
    where experiment_verdict is not null
    group by all
"""


@dataclass(frozen=True)
class Entry:
    """A line of the list; `reason` says why the verdict is what it is, or why there is none."""

    id: str
    kind: Kind
    property_id: str
    description: str
    start: date
    end: date | None
    state: State
    verdict: str | None
    reason: str
    overlaps_with: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def list_entries(register: Register, today: date, published_dir: Path) -> list[Entry]:
    """Every entry, experiments first.

    Outcomes are read from their files, or are those that the published version has counted from
    GA4; where a file has gone, an ended experiment keeps what the last night published.
    """
    published = _published(published_dir)
    return [_entry(one, register, published, today, published_dir) for one in register.entries]


def _entry(
    entry: Change,
    register: Register,
    published: dict[str, tuple[str, str]],
    today: date,
    published_dir: Path,
) -> Entry:
    trial, verdict, reason = entry.trial, None, ""
    state = entry.state(today)
    if trial is not None and state is not State.PLANNED:
        try:
            decision = analyse_registered(entry, trial, register, today, published_dir).decision
            verdict, reason = decision.verdict.value, decision.reason
        except ExperimentError as error:
            kept = published.get(entry.id) if state is State.ENDED else None
            verdict, reason = kept or (None, str(error))
    meets = register.meetings[entry.id]
    if trial is None and meets:
        reason = f"overlaps with {', '.join(meets)}"
    return Entry(
        *(entry.id, entry.kind, entry.property_id, entry.description, entry.start, entry.end),
        *(state, verdict, reason, meets),
    )


def _published(published_dir: Path) -> dict[str, tuple[str, str]]:
    """Experiment → verdict and reason of the newest version, if there is one."""
    try:
        with published_database(published_dir) as connection:
            rows = connection.execute(_PUBLISHED).fetchall()
    except (WarehouseError, duckdb.CatalogException):
        return {}
    return {name: (verdict, reason) for name, verdict, reason in rows}
