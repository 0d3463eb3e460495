"""Faults of an answer's rows as a whole: the smallest are one `(other)`."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from pipelines.emulator.server.faults.book import Effects
from pipelines.emulator.server.faults.data import quoted
from pipelines.emulator.server.faults.fields import OTHER
from pipelines.emulator.server.query import largest_query
from pipelines.emulator.server.validate import Report

# Dimensions that keep their values when rows are rolled up: every date has an `(other)` of its own.
_KEPT = ("date",)


def rolled_up(
    cursor: duckdb.DuckDBPyConnection, hits: str, effects: Effects, report: Report
) -> Report:
    """The report with `(other)` in all dimensions of all but the rows with most events a date."""
    keep = min(
        (do.other.keep or 0 for do in effects.dos if do.other and do.other.dimension is None),
        default=None,
    )
    rolled = [one for one in report.dimensions if one.api_name not in _KEPT]
    if keep is None or not rolled:
        return report
    query = largest_query(report, hits, [one.sql for one in rolled], keep)
    rows = cursor.execute(query.sql, query.parameters).fetchall()
    listed = ", ".join(f"({', '.join(map(quoted, row))})" for row in rows)
    whole = f"(date_text, {', '.join(one.sql for one in rolled)})"
    is_kept = f"{whole} IN ({listed})" if rows else "false"
    return replace(
        report,
        dimensions=tuple(
            replace(one, sql=f"CASE WHEN {is_kept} THEN {one.sql} ELSE '{OTHER}' END")
            if one in rolled
            else one
            for one in report.dimensions
        ),
    )
