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


def remember_register(
    connection: duckdb.DuckDBPyConnection, register: Register, today: date
) -> None:
    """Replace `ops.changes` and the outcomes of its experiments, in one transaction.

    A file that cannot be read is said in the experiment's row and stops nothing; an ended
    experiment then keeps the outcomes that an earlier run read.
    """
    kept = _with_outcomes(connection)
    rows: list[dict[str, Any]] = []
    outcomes: list[pa.Table] = []
    ids: list[str] = []
    for entry in register.entries:
        row = _row(entry, register.meetings[entry.id], today)
        rows.append(row)
        if entry.trial is None:
            continue
        try:
            if row["state"] != State.PLANNED:
                outcomes.append(_read(entry, row, today))
        except ExperimentError as error:
            if row["state"] == State.ENDED and entry.id in kept:
                row["users_left_out"] = kept[entry.id]
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


def _published_words(error: ExperimentError, path: Path | None) -> str:
    """Readers of what is published need the file's name, not where it lies on this machine."""
    return str(error) if path is None else str(error).replace(str(path), path.name)


def _with_outcomes(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Experiments whose outcomes are stored → users left out of them."""
    return dict(
        connection.execute(
            "select change_id, any_value(users_left_out) from ops.changes "
            "where change_id in (select change_id from ops.experiment_outcomes) group by change_id"
        ).fetchall()
    )


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
        "users_left_out": None,
        "problem": None,
    }
