"""Writes a gate's results to `ops.gate_results`: the pipeline's memory, published too."""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa

from data_checks.model import GateReport

_COLUMNS = (
    "run_id",
    "gate",
    "property_id",
    "table_name",
    "expectation",
    "severity",
    "is_success",
    "observed",
    "unexpected_count",
    "sample",
    "checked_at",
)


def record(connection: duckdb.DuckDBPyConnection, report: GateReport) -> None:
    """Replace the results of this run and gate in one transaction.

    `connection` must be writable and in no transaction. Results of other runs and gates stay; on
    an error (`duckdb.Error`) everything stays as it was.
    """
    names = ", ".join(_COLUMNS)
    connection.register("new_gate_results", _to_arrow(report))
    try:
        connection.execute("begin")
        connection.execute(
            "delete from ops.gate_results where run_id = ? and gate = ?",
            [report.run_id, report.gate],
        )
        connection.execute(
            f"insert into ops.gate_results ({names}) select {names} from new_gate_results"
        )
        connection.execute("commit")
    except duckdb.Error:
        connection.execute("rollback")
        raise
    finally:
        connection.unregister("new_gate_results")


def _to_arrow(report: GateReport) -> pa.Table:
    """The report as one Arrow table with the columns of `ops.gate_results`."""
    results = report.results
    checked_at = pa.array([report.checked_at] * len(results), pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "run_id": pa.array([report.run_id] * len(results), pa.string()),
            "gate": pa.array([report.gate] * len(results), pa.string()),
            "property_id": pa.array([r.property_id for r in results], pa.string()),
            "table_name": pa.array([r.table_name for r in results], pa.string()),
            "expectation": pa.array([r.expectation for r in results], pa.string()),
            "severity": pa.array([r.severity for r in results], pa.string()),
            "is_success": pa.array([r.is_success for r in results], pa.bool_()),
            "observed": pa.array([r.observed for r in results], pa.string()),
            "unexpected_count": pa.array([r.unexpected_count for r in results], pa.int64()),
            "sample": pa.array([json.dumps([dict(s) for s in r.sample]) for r in results]),
            "checked_at": checked_at,
        }
    )
