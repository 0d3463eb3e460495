"""Writes what a gate found into the pipeline's memory, which is published too.

Every result goes to `ops.gate_results`; what the raw gate says against the numbers of a day goes to
`ops.day_warnings`, from which the marts take it; what passed the last gate to `ops.tested_days`.
"""

from __future__ import annotations

import json

import duckdb
import pyarrow as pa

from data_checks.day_rules import DAY_RULES
from data_checks.model import CRITICAL, GateReport, GateResult
from data_checks.registry import GATES
from data_checks.tested_days import remember_tested_days
from pipelines.warehouse.ops import insert_table
from pipelines.warehouse.transactions import transaction

# The gate whose tables are one report each, by day.
DAY_GATE = "raw"
_RAW_PREFIX = "raw.ga4_"


def record(connection: duckdb.DuckDBPyConnection, report: GateReport) -> None:
    """Replace the results of this run and gate, and what it says of days, in one transaction.

    `connection` must be writable and in no transaction. Results of other runs and gates stay, and
    so do warnings of days and properties that were not judged; on an error (`duckdb.Error`)
    everything stays as it was.
    """
    with transaction(connection):
        _replace_results(connection, report)
        if report.gate == DAY_GATE and report.window is not None:
            _replace_day_warnings(connection, report)
        if report.gate == GATES[-1]:
            remember_tested_days(connection, report)


def first_failure(connection: duckdb.DuckDBPyConnection, run_id: str) -> GateResult | None:
    """The first critical expectation that failed in a run, as it was recorded."""
    row = connection.execute(
        "select property_id, table_name, expectation, observed, unexpected_count, sample "
        "from ops.gate_results where run_id = ? and severity = ? and not is_success "
        "order by table_name, expectation, property_id limit 1",
        [run_id, CRITICAL],
    ).fetchone()
    if row is None:
        return None
    property_id, table, expectation, observed, count, sample = row
    keys = tuple(json.loads(sample or "[]"))
    return GateResult(property_id, table, expectation, CRITICAL, False, observed, count, keys)


def _replace_results(connection: duckdb.DuckDBPyConnection, report: GateReport) -> None:
    connection.execute(
        "delete from ops.gate_results where run_id = ? and gate = ?", [report.run_id, report.gate]
    )
    insert_table(connection, "gate_results", _results(report))


def _replace_day_warnings(connection: duckdb.DuckDBPyConnection, report: GateReport) -> None:
    """A day that is whole again loses its warnings."""
    assert report.window is not None
    connection.execute(
        "delete from ops.day_warnings where date between ? and ?"
        " and property_id in (select unnest(?::varchar[]))",
        [report.window.start, report.window.end, list({r.property_id for r in report.results})],
    )
    insert_table(connection, "day_warnings", _day_warnings(report))


def _results(report: GateReport) -> pa.Table:
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


def _day_warnings(report: GateReport) -> pa.Table:
    """One row per property, report, day and failed expectation, as `ops.day_warnings` has them."""
    # Of a report of whole windows a day may fail more than once: it is named once.
    once = {
        (result.property_id, result.table_name, day.date, result.expectation): (result, day)
        for result in report.results
        for day in result.days
    }
    found = list(once.values())
    marks = [DAY_RULES[result.expectation].mark for result, _ in found]
    reports = [result.table_name.removeprefix(_RAW_PREFIX) for result, _ in found]
    checked_at = pa.array([report.checked_at] * len(found), pa.timestamp("us", tz="UTC"))
    return pa.table(
        {
            "property_id": pa.array([result.property_id for result, _ in found], pa.string()),
            "report": pa.array(reports, pa.string()),
            "date": pa.array([day.date for _, day in found], pa.date32()),
            "expectation": pa.array([result.expectation for result, _ in found], pa.string()),
            "mark": pa.array([mark and str(mark) for mark in marks], pa.string()),
            "observed": pa.array([day.observed for _, day in found], pa.string()),
            "checked_at": checked_at,
        }
    )
