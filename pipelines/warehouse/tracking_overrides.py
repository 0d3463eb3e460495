"""Writes what the shop's own tracking plan changes to `ops`, where SQL reads it, and what the
reports of each plan counted.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import duckdb

from pipelines.config.tracking_plan import TrackingPlan
from pipelines.ga4.report_spec import ReportSpec
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.schema import OPS_TABLES
from pipelines.warehouse.transactions import transaction

logger = logging.getLogger("sluice")


def remember_plan(connection: duckdb.DuckDBPyConnection, plan: TrackingPlan) -> None:
    """Replace the tables of overrides with the plan's own; both are empty without a shop's file."""
    declared = [{"key": key} for key in plan.shop.not_applicable]
    with transaction(connection):
        _replace(connection, "tracking_plan_overrides", plan.shop.plan)
        _replace(connection, "benchmark_overrides", plan.shop.benchmarks)
        _replace(connection, "benchmark_figure_overrides", plan.shop.figures)
        _replace(connection, "not_applicable_keys", declared)


def remember_parts(connection: duckdb.DuckDBPyConnection, reports: Sequence[ReportSpec]) -> None:
    """Write what counts as each key and parameter of the reports, beside what earlier plans said.

    SQL leaves out of a day what it was not counted by (`int_pulls__left_out`); what changed is said
    aloud.
    """
    before = {
        (report, name): meaning
        for report, name, meaning in connection.execute(
            "select report, name, meaning from ops.report_parts where is_current"
        ).fetchall()
    }
    named = [(spec, part) for spec in reports for part in spec.parts if part.name]
    rows = [
        {
            "report": spec.name,
            "report_version": spec.version,
            "name": part.name,
            "meaning": repr(part.meaning),
            "is_current": True,
        }
        for spec, part in named
    ]
    with transaction(connection):
        connection.execute("update ops.report_parts set is_current = false")
        connection.execute(
            "delete from ops.report_parts where (report, report_version) in "
            "(select unnest($reports), unnest($versions))",
            {
                "reports": [spec.name for spec, _ in named],
                "versions": [spec.version for spec, _ in named],
            },
        )
        insert_rows(connection, "report_parts", rows)
    changed = {
        part.name
        for spec, part in named
        if before.get((spec.name, part.name)) != repr(part.meaning)
    }
    if before and changed:
        logger.warning(
            "The tracking plan counts %s otherwise than until now: days before those that this run "
            "pulls have no number of it until 'sluice backfill' has pulled them again.",
            ", ".join(sorted(changed)),
        )


def _replace(
    connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Mapping[str, str]]
) -> None:
    """Rows of text into typed columns; '' is NULL, as dbt reads a seed."""
    connection.execute(f"delete from ops.{table}")
    columns = OPS_TABLES[table]
    marks = ", ".join(f"cast(nullif(?, '') as {kind})" for kind in columns.values())
    for row in rows:
        connection.execute(
            f"insert into ops.{table} ({', '.join(columns)}) values ({marks})",
            [row[name] for name in columns],
        )
