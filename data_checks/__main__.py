"""One gate by hand, over what the newest run left: `python -m data_checks marts data/build.duckdb`.

Only reads, and records nothing. The expectations of `suites/`; dbt's tests are `dbt test`'s here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

from data_checks.model import GateReport, Window
from data_checks.registry import GATES
from data_checks.runner import run_gate

BLOCKED = 2


def check(gate: str, database: Path) -> GateReport:
    """The gate over the window of the newest run and its properties that were not blocked."""
    with duckdb.connect(str(database), read_only=True) as connection:
        # Gates read days in the time zones of their properties; stamps are UTC, as in a run.
        connection.execute("set timezone = 'UTC'")
        newest = connection.execute(
            "select window_start, window_end, started_at from ops.runs "
            "where window_end is not null order by started_at desc limit 1"
        ).fetchone()
        if newest is None:
            raise SystemExit(f"No run has filled {database}: run 'sluice demo' first.")
        start, end, started_at = newest
        properties = connection.execute(
            "select property_id from ops.properties "
            "where is_active and not coalesce(is_blocked, false)"
        ).fetchall()
        return run_gate(
            gate,
            connection,
            window=Window(start, end),
            run_id="by hand",
            properties=[property_id for (property_id,) in properties],
            now=started_at,
        )


def main(arguments: list[str]) -> int:
    """Print what failed, then the gate's sentence; 0 where the gate passes, 2 where it blocks."""
    match arguments:
        case [gate, database] if gate in GATES and Path(database).exists():
            report = check(gate, Path(database))
        case _:
            raise SystemExit(f"Usage: python -m data_checks {{{'|'.join(GATES)}}} BUILD_DATABASE")
    for result in (*report.failed_critical, *report.warnings):
        print(f"{result.severity}: {result.sentence}")
    print(report.summary())
    return 0 if report.is_passed else BLOCKED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
