"""Writes a shop's register, and what its experiments' files of outcomes say, to `ops`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import Change, Register, State
from pipelines.warehouse.ops import insert_rows, transaction
from pipelines.warehouse.register_edits import edits_of
from pipelines.warehouse.schema import OPS_TABLES


def remember_register(
    connection: duckdb.DuckDBPyConnection, register: Register, today: date
) -> None:
    """Replace `ops.changes` and the outcomes of its experiments, in one transaction.

    A file that cannot be read is said in the experiment's row and stops nothing; one that is over
    then keeps the outcomes that an earlier run read. So does one that is in the register no more,
    and what was changed of one after its start goes to `ops.experiment_edits`.
    """
    before = {row["change_id"]: row for row in _stored(connection)}
    rows: list[dict[str, Any]] = []
    outcomes: list[pa.Table] = []
    read: list[str] = []
    for entry in register.entries:
        row = registered_row(entry, register.meetings[entry.id], today)
        known = before.get(entry.id, {})
        rows.append(row)
        if entry.trial is None:
            continue
        row["users_left_out"] = known.get("users_left_out")
        try:
            if row["state"] != State.PLANNED:
                outcomes.append(_read(entry, row, today))
                read.append(entry.id)
        except ExperimentError as error:
            if row["state"] != State.ENDED or not known.get("has_outcomes"):
                row["problem"] = _published_words(error, entry.trial.outcomes)
    rows += [
        _withdrawn(before[name], today)
        for name in sorted(before.keys() - register.meetings.keys())
        if before[name]["has_outcomes"]
    ]
    kept = [row["change_id"] for row in rows if row["variants"] and row["change_id"] not in read]
    edits = [one for row in rows for one in edits_of(before.get(row["change_id"]), row, today)]
    with transaction(connection):
        connection.execute("delete from ops.changes")
        connection.execute(
            "delete from ops.experiment_outcomes where not list_contains(?, change_id)", [kept]
        )
        insert_rows(connection, "changes", rows)
        insert_rows(connection, "experiment_edits", edits)
        for table in outcomes:
            insert_rows(connection, "experiment_outcomes", table)


def _published_words(error: ExperimentError, path: Path | None) -> str:
    """Readers of what is published need the file's name, not where it lies on this machine."""
    return str(error) if path is None else str(error).replace(str(path), path.name)


def _stored(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of an earlier run, each with whether there are outcomes of it."""
    found = connection.execute(
        "select *, change_id in (select change_id from ops.experiment_outcomes) as has_outcomes "
        "from ops.changes"
    )
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def _withdrawn(row: dict[str, Any], today: date) -> dict[str, Any]:
    """An experiment that was taken out of the register; what it left is analysed as before."""
    is_over = row["end_date"] is not None and row["end_date"] < today
    is_ended = row["state"] == State.ENDED or (is_over and row["state"] == State.RUNNING)
    state = State.ENDED if is_ended else State.WITHDRAWN
    return {name: row[name] for name in OPS_TABLES["changes"]} | {
        "state": state.value,
        "problem": None,
    }


def _read(entry: Change, row: dict[str, Any], today: date) -> pa.Table:
    """The rows of its outcomes; how many users were left out goes into its own `row`."""
    # Only a run with an experiment imports what reading one takes.
    from pipelines.analysis.experiments.stored import as_rows  # noqa: PLC0415
    from pipelines.experiments.registered import read_registered  # noqa: PLC0415

    assert entry.trial is not None
    outcomes = read_registered(entry, entry.trial, today)
    row["users_left_out"] = outcomes.left_out
    frame = as_rows(outcomes).assign(property_id=entry.property_id, change_id=entry.id)
    return pa.Table.from_pandas(frame, preserve_index=False)


def registered_row(entry: Change, meets: tuple[str, ...], today: date) -> dict[str, Any]:
    """A row of `ops.changes` as the register has it; `meets` are the ids that it overlaps with."""
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
        "users_left_out": None,
        "problem": None,
    }
