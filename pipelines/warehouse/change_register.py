"""Writes a shop's register, and what its experiments' files of outcomes say, to `ops`."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import date
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import Change, Kind, Register, State, Trial
from pipelines.warehouse.ops import insert_rows, insert_table
from pipelines.warehouse.register_edits import edits_of
from pipelines.warehouse.rows import rows_of
from pipelines.warehouse.schema import OPS_TABLES
from pipelines.warehouse.transactions import transaction
from pipelines.wording import shown, without_folder

if TYPE_CHECKING:
    from pipelines.analysis.experiments.metrics import Outcomes

# What is known of outcomes beside their rows; and what these are counted by.
FACTS = ("users_left_out", "note", "naive_variance")
_DEFINITION = (
    "property_id", "exposure", "variants", "primary_metric", "guardrail", "start_date",
)  # fmt: skip


def remember_register(
    connection: duckdb.DuckDBPyConnection, register: Register, today: date
) -> None:
    """Replace `ops.changes` and the outcomes of its files, in one transaction.

    A file that cannot be read is said in the experiment's row and stops nothing; one that had no
    problem by its end then keeps the outcomes that an earlier run read, silently where the file is
    gone. So does one that is in the register no more, and what was changed of one after its start
    goes to `ops.experiment_edits`. Those that are counted from GA4 stay until they are counted
    anew. Raises ExperimentError: a change of the site with the id of an experiment whose result is
    kept.
    """
    before = {row["change_id"]: row for row in _stored_rows(connection)}
    rows: list[dict[str, Any]] = []
    outcomes: list[pa.Table] = []
    kept: list[str] = []
    for entry in register.entries:
        row = registered_row(entry, register.meetings[entry.id], today)
        rows.append(row)
        known = before.get(entry.id)
        if entry.trial is None:
            _refuse_id_of_experiment(known, entry)
            continue
        if known is not None and _are_its_own(row, known):
            row |= {name: known[name] for name in FACTS}
            kept.append(entry.id)
        if row["state"] == State.PLANNED:
            continue
        try:
            outcomes.append(_read(entry, row, today))
            kept = [name for name in kept if name != entry.id]
        except ExperimentError as error:
            file = entry.trial.outcomes
            problem = without_folder(str(error), file)
            if entry.id not in kept or not _is_result(row, before[entry.id]):
                row["problem"] = problem
            elif file is not None and file.exists():
                row["note"] = f"These are an earlier run's outcomes: {problem}"
    for name in sorted(before.keys() - register.meetings.keys()):
        if before[name]["has_outcomes"]:
            rows.append(_withdrawn(before[name], today))
            kept.append(name)
    edits = [one for row in rows for one in edits_of(before.get(row["change_id"]), row, today)]
    with transaction(connection):
        connection.execute("delete from ops.changes")
        connection.execute(
            "delete from ops.experiment_outcomes where not list_contains(?, change_id)", [kept]
        )
        insert_rows(connection, "changes", rows)
        insert_rows(connection, "experiment_edits", edits)
        # A corrected property takes along what is kept.
        for table in ("experiment_outcomes", "experiment_edits"):
            connection.execute(
                f"update ops.{table} as kept set property_id = changes.property_id "
                "from ops.changes where kept.change_id = changes.change_id "
                "and kept.property_id <> changes.property_id"
            )
        for table in outcomes:
            insert_table(connection, "experiment_outcomes", table)


def remember_outcomes(
    connection: duckdb.DuckDBPyConnection, entry: Change, outcomes: Outcomes
) -> None:
    """Put what was counted of an experiment in the place of what was counted before."""
    facts = {**_facts(outcomes), "problem": None}
    with transaction(connection):
        _forget_outcomes(connection, entry)
        insert_table(connection, "experiment_outcomes", _stored(entry, outcomes))
        _say(connection, entry, facts)


def remember_problem(
    connection: duckdb.DuckDBPyConnection, entry: Change, problem: str, today: date
) -> None:
    """Why an experiment cannot be counted; an ended one keeps what an earlier run counted, if it
    had no problem then.
    """
    if entry.state(today) is State.ENDED and counted_until(connection, entry):
        _say(connection, entry, {"problem": problem}, "problem is not null")
    else:
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


def _refuse_id_of_experiment(known: dict[str, Any] | None, change: Change) -> None:
    if known is not None and known["kind"] == Kind.EXPERIMENT and known["has_outcomes"]:
        raise ExperimentError(
            f"The change {shown(change.id)} has the id of an experiment, whose result is kept: "
            "give the change another id in changes.yml."
        )


def _are_its_own(row: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether outcomes that an earlier run stored are still those of the entry."""
    is_same = row["exposure"] is None or all(row[name] == known[name] for name in _DEFINITION)
    return bool(known["has_outcomes"]) and is_same


def _is_result(row: dict[str, Any], known: dict[str, Any]) -> bool:
    """Whether they stand for what cannot be read any more, or was not counted yet."""
    is_over = row["state"] == State.ENDED or row["exposure"] is not None
    return is_over and known["problem"] is None


def _forget_outcomes(connection: duckdb.DuckDBPyConnection, entry: Change) -> None:
    connection.execute("delete from ops.experiment_outcomes where change_id = ?", [entry.id])


def _say(
    connection: duckdb.DuckDBPyConnection,
    entry: Change,
    facts: dict[str, Any],
    condition: str = "true",
) -> None:
    columns = ", ".join(f"{name} = ?" for name in facts)
    connection.execute(
        f"update ops.changes set {columns} where change_id = ? and {condition}",
        [*facts.values(), entry.id],
    )


def _stored_rows(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The rows of an earlier run, each with whether there are outcomes of it."""
    return rows_of(
        connection,
        "select *, change_id in (select change_id from ops.experiment_outcomes) as has_outcomes "
        "from ops.changes",
    )


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
    return dict(zip(FACTS, (outcomes.left_out, note or None, outcomes.is_naive), strict=True))


def _stored(entry: Change, outcomes: Outcomes) -> pa.Table:
    from pipelines.analysis.experiments.stored import as_rows  # noqa: PLC0415

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
        "exposure": _exposure(trial) if trial else None,
        **dict.fromkeys(FACTS),
        "problem": None,
    }


def _exposure(trial: Trial) -> str | None:
    if trial.exposure is None:
        return None
    return json.dumps({**asdict(trial.exposure), "per": trial.per}, ensure_ascii=False)
