"""Writes a shop's register, and what its experiments' files of outcomes say, to `ops`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import Change, Register, State, Trial
from pipelines.warehouse.ops import insert_rows, transaction

if TYPE_CHECKING:
    from pipelines.analysis.experiments.metrics import Outcomes

# What is known of outcomes beside their rows; and what these are counted by.
_FACTS = ("users_left_out", "note", "naive_variance")
_DEFINITION = ("exposure", "variants", "primary_metric", "guardrail", "start_date")


def remember_register(
    connection: duckdb.DuckDBPyConnection, register: Register, today: date
) -> None:
    """Replace `ops.changes` and the outcomes of its files, in one transaction.

    A file that cannot be read is said in the experiment's row and stops nothing; an ended
    experiment then keeps the outcomes that an earlier run read. Those that are counted from GA4
    stay until they are counted anew.
    """
    kept = _with_outcomes(connection)
    rows: list[dict[str, Any]] = []
    outcomes: list[pa.Table] = []
    ids: list[str] = []
    for entry in register.entries:
        row = _row(entry, register.meetings[entry.id], today)
        rows.append(row)
        if entry.trial is None or row["state"] == State.PLANNED:
            continue
        try:
            outcomes.append(_read(entry, row, today))
        except ExperimentError as error:
            if _may_keep(row, kept.get(entry.id)):
                row |= {name: kept[entry.id][name] for name in _FACTS}
                ids.append(entry.id)
            else:
                row["problem"] = _published_words(error, entry.trial.outcomes)
    with transaction(connection):
        connection.execute("delete from ops.changes")
        connection.execute(
            "delete from ops.experiment_outcomes where not list_contains(?, change_id)", [ids]
        )
        insert_rows(connection, "changes", rows)
        for table in outcomes:
            insert_rows(connection, "experiment_outcomes", table)


def remember_outcomes(
    connection: duckdb.DuckDBPyConnection, entry: Change, outcomes: Outcomes
) -> None:
    """Put what was counted of an experiment in the place of what was counted before."""
    facts = {**_facts(outcomes), "problem": None}
    with transaction(connection):
        _forget_outcomes(connection, entry)
        insert_rows(connection, "experiment_outcomes", _stored(entry, outcomes))
        _say(connection, entry, facts)


def remember_problem(
    connection: duckdb.DuckDBPyConnection, entry: Change, problem: str, today: date
) -> None:
    """Why an experiment cannot be counted; an ended one keeps what an earlier run counted."""
    if entry.state(today) is State.ENDED and counted_until(connection, entry):
        return
    with transaction(connection):
        _forget_outcomes(connection, entry)
        _say(connection, entry, {"problem": problem})


def remember_delay(connection: duckdb.DuckDBPyConnection, entry: Change, why: str) -> None:
    """Why an experiment was not counted this time; what an earlier run counted stays."""
    if counted_until(connection, entry):
        _say(connection, entry, {"note": f"These are an earlier run's counts: {why}"})
    else:
        _say(connection, entry, {"problem": why})


def counted_until(connection: duckdb.DuckDBPyConnection, entry: Change) -> date | None:
    """The last day of an experiment's stored outcomes; None where there are none, or no days."""
    found = connection.execute(
        "select max(date) from ops.experiment_outcomes where change_id = ?", [entry.id]
    ).fetchone()
    return found[0] if found else None


def _may_keep(row: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Whether outcomes that an earlier run stored are still those of the entry."""
    if before is None:
        return False
    if row["exposure"] is None:
        return bool(row["state"] == State.ENDED)
    return all(row[name] == before[name] for name in _DEFINITION)


def _forget_outcomes(connection: duckdb.DuckDBPyConnection, entry: Change) -> None:
    connection.execute("delete from ops.experiment_outcomes where change_id = ?", [entry.id])


def _say(connection: duckdb.DuckDBPyConnection, entry: Change, facts: dict[str, Any]) -> None:
    columns = ", ".join(f"{name} = ?" for name in facts)
    connection.execute(
        f"update ops.changes set {columns} where change_id = ?", [*facts.values(), entry.id]
    )


def _published_words(error: ExperimentError, path: Path | None) -> str:
    """Readers of what is published need the file's name, not where it lies on this machine."""
    return str(error) if path is None else str(error).replace(str(path), path.name)


def _with_outcomes(connection: duckdb.DuckDBPyConnection) -> dict[str, dict[str, Any]]:
    """Experiments whose outcomes are stored → what is known of these beside."""
    rows = connection.execute(
        f"select change_id, {', '.join(_FACTS + _DEFINITION)} from ops.changes "
        "where change_id in (select change_id from ops.experiment_outcomes)"
    ).fetchall()
    return {name: dict(zip(_FACTS + _DEFINITION, facts, strict=True)) for name, *facts in rows}


def _read(entry: Change, row: dict[str, Any], today: date) -> pa.Table:
    """The rows of its outcomes; what is known of these beside goes into its own `row`."""
    # Only a run with an experiment imports what reading one takes.
    from pipelines.experiments.registered import read_registered  # noqa: PLC0415

    assert entry.trial is not None
    if entry.trial.exposure is not None:
        raise ExperimentError(
            f"It has not been counted yet: a run that reads property {entry.property_id} does."
        )
    outcomes = read_registered(entry, entry.trial, today)
    row |= _facts(outcomes)
    return _stored(entry, outcomes)


def _facts(outcomes: Outcomes) -> dict[str, Any]:
    note = " ".join(outcomes.notes)
    return dict(zip(_FACTS, (outcomes.left_out, note or None, outcomes.is_naive), strict=True))


def _stored(entry: Change, outcomes: Outcomes) -> pa.Table:
    from pipelines.analysis.experiments.stored import as_rows  # noqa: PLC0415

    frame = as_rows(outcomes).assign(property_id=entry.property_id, change_id=entry.id)
    return pa.Table.from_pandas(frame, preserve_index=False)


def _row(entry: Change, meets: tuple[str, ...], today: date) -> dict[str, Any]:
    trial = entry.trial
    return {
        "property_id": entry.property_id,
        "change_id": entry.id,
        "kind": entry.kind.value,
        "description": entry.description,
        "stage": entry.stage,
        "key": entry.key or None,
        "page": entry.page or None,
        "device": entry.device,
        "elements": json.dumps(entry.elements, ensure_ascii=False),
        "start_date": entry.start,
        "end_date": entry.end,
        "state": entry.state(today).value,
        "overlaps_with": json.dumps(meets),
        "variants": json.dumps(trial.variants, ensure_ascii=False) if trial else None,
        "primary_metric": trial.primary_metric if trial else None,
        "guardrail": trial.guardrail if trial else None,
        "smallest_effect": trial.smallest_effect if trial else None,
        "exposure": _exposure(trial) if trial else None,
        **dict.fromkeys(_FACTS),
        "problem": None,
    }


def _exposure(trial: Trial) -> str | None:
    if trial.exposure is None:
        return None
    return json.dumps({**asdict(trial.exposure), "per": trial.per}, ensure_ascii=False)
