"""The memory of runs, `ops.runs`: what ran, on which days, and how it ended."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

import duckdb

from data_checks import first_failure
from pipelines.errors import WarehouseError
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.statuses import PullStatus, RunStatus
from pipelines.wording import redacted

# The command of a run that builds every model anew; see `is_rebuilding`.
FULL_REFRESH = "nightly --full-refresh"
# That of one over many days, which somebody waits for.
BACKFILL_RUN = "backfill"


@dataclass(frozen=True)
class RunRecord:
    """How a run ended, in one sentence for people."""

    run_id: str
    status: RunStatus
    message: str


@dataclass(frozen=True)
class StoppedRun:
    """One that never told its end. `began`: in UTC; `night`: the last day that it pulled."""

    command: str
    night: date
    began: datetime


def start_run(
    connection: duckdb.DuckDBPyConnection,
    run_id: str,
    command: str,
    start: date,
    end: date,
    code_version: str,
    now: datetime,
) -> None:
    """Remember that a run began (again, after a retry)."""
    connection.execute(
        "insert or replace into ops.runs values (?, ?, ?, ?, ?, '', ?, ?, null)",
        [run_id, command, start, end, RunStatus.RUNNING, code_version, now],
    )


def finish_run(build_db: Path, run_id: str, status: RunStatus, message: str, now: datetime) -> None:
    """Remember how a run ended; the first ending stays."""
    with build_database(build_db) as connection:
        connection.execute(
            "update ops.runs set status = ?, message = ?, finished_at = ? "
            "where run_id = ? and status = ?",
            [status, redacted(message), now, run_id, RunStatus.RUNNING],
        )


def first_gate_failure(build_db: Path, run_id: str) -> str:
    """The first critical expectation that failed in a run, in words; empty when none did.

    Opened as dbt opens it: DuckDB refuses two ways of opening a file within one process, and a
    cursor of dbt's last layer may still be alive.
    """
    with build_database(build_db) as connection:
        failure = first_failure(connection, run_id)
    return f" {failure.sentence}." if failure else ""


def pulled_days(connection: duckdb.DuckDBPyConnection, run_id: str) -> tuple[date, date] | None:
    """First and last day that a run loaded of daily reports: a night pulls some further back."""
    row = connection.execute(
        "select min(date), max(date) from ops.pulls "
        "where run_id = ? and status = ? and window_name is null",
        [run_id, PullStatus.LOADED],
    ).fetchone()
    return (row[0], row[1]) if row and row[0] else None


def is_rebuilding(build_db: Path) -> bool:
    """Whether a full refresh was begun and nothing has been published since.

    A full refresh that failed or was killed half-way leaves old and new models side by side:
    whatever runs next goes on with it. Opened as dbt opens it, see `first_gate_failure`.
    """
    with build_database(build_db) as connection:
        row = connection.execute(
            "select max(started_at) filter (where command = ?) > coalesce(max(started_at) "
            "filter (where list_contains(?, status)), timestamptz '1970-01-01') from ops.runs",
            [FULL_REFRESH, [str(one) for one in RunStatus if one.is_published]],
        ).fetchone()
    return bool(row and row[0])


def record_failed_start(
    build_db: Path,
    command: str,
    message: str,
    code_version: str,
    now: datetime,
    status: RunStatus = RunStatus.FAILED,
) -> None:
    """Remember a run that ended before its job began.

    A first run that failed (a wrong id, no key) leaves nothing behind; one that is paused is
    remembered, since the same command goes on with it. Beside a run that has the database open
    nothing is written: that run will tell its own end.
    """
    if status is RunStatus.FAILED and not build_db.exists():
        return
    with suppress(WarehouseError), build_database(build_db) as connection:
        connection.execute(
            "insert into ops.runs values (?, ?, null, null, ?, ?, ?, ?, ?)",
            [str(uuid4()), command, status, message, code_version, now, now],
        )


def stopped_runs(connection: duckdb.DuckDBPyConnection, run_id: str) -> list[StoppedRun]:
    """Those before `run_id`, back to the newest that told its end: of a home in which no other run
    goes on, they were stopped or killed.
    """
    rows = connection.execute(
        """
        select command, window_end, started_at at time zone 'UTC' from ops.runs
        where run_id <> $run_id and status = $running and started_at > coalesce((
            select max(started_at) from ops.runs where run_id <> $run_id and status <> $running
        ), timestamptz '1970-01-01')
        order by started_at
        """,
        {"run_id": run_id, "running": RunStatus.RUNNING},
    ).fetchall()
    return [StoppedRun(*row) for row in rows]


def read_run(build_db: Path, run_id: str) -> RunRecord | None:
    """The record of one run; None when it never came to write one."""
    if not build_db.exists():
        return None
    with build_database(build_db, read_only=True) as connection:
        row = connection.execute(
            "select run_id, status, message from ops.runs where run_id = ?", [run_id]
        ).fetchone()
    return RunRecord(row[0], RunStatus(row[1]), row[2]) if row else None
