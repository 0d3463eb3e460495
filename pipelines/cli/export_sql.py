"""`sluice export-sql`: the statements that count an event export, for other engines."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from pipelines.cli.common import AsJson, print_json
from pipelines.config.settings import load_settings


def export_sql(
    dialect: Annotated[
        Literal["bigquery", "spark", "duckdb"], typer.Option(help="Whose SQL.")
    ] = "bigquery",
    as_json: AsJson = False,
) -> None:
    """Print the statements that count an event export, over its landed tables (docs/scale.md)."""
    from pipelines.config.tracking_plan import load_plan
    from pipelines.export.dialects import Dialect
    from pipelines.export.statements import statements
    from pipelines.ga4.report_catalog import build_reports

    reports = build_reports(load_plan(shop=load_settings().tracking_plan))
    found = statements(reports, Dialect(dialect))
    if as_json:
        print_json([{"counts": what, "sql": sql} for what, sql in found])
        return
    for what, sql in found:
        typer.echo(f"-- {what}\n{sql.strip()};\n")
