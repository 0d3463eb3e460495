"""`sluice sql`: the published database, read-only."""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import duckdb
import typer
from rich.table import Table

from pipelines.cli.common import notes, out
from pipelines.errors import SluiceError
from pipelines.settings import load_settings
from pipelines.warehouse.connect import published_database


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


class QueryError(SluiceError):
    """The database does not accept the query."""


def sql(
    query: Annotated[
        str | None, typer.Argument(help="One statement; none: read from the terminal or a pipe.")
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print rows.")] = Format.table,
) -> None:
    """Query the published version (schemas: marts, ops)."""
    with published_database(load_settings().published_dir) as connection:
        if query is not None or not sys.stdin.isatty():
            _run(connection, query if query is not None else sys.stdin.read(), form)
            return
        _shell(connection, form)


def _shell(connection: duckdb.DuckDBPyConnection, form: Format) -> None:
    import readline  # noqa: F401  (line editing and history for input())

    notes.print("End a statement with ';'. 'show all tables;' lists tables. Ctrl-D leaves.")
    lines: list[str] = []
    while True:
        try:
            lines.append(input("   ...> " if lines else "sluice> "))
        except EOFError:
            return
        if lines[-1].rstrip().endswith(";"):
            statement, lines = "\n".join(lines), []
            try:
                _run(connection, statement, form)
            except QueryError as error:
                notes.print(str(error), markup=False)


def _run(connection: duckdb.DuckDBPyConnection, query: str, form: Format) -> None:
    if not query.strip(" \n\t;"):
        raise QueryError("There is no query: give one statement, or 'show all tables'.")
    try:
        result = connection.execute(query)
        names = [column[0] for column in result.description or []]
        rows = result.fetchall()
    except duckdb.Error as error:
        raise QueryError(f"The query failed: {error}") from error
    if form is Format.json:
        records = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps(records, default=_plain, indent=2))
    elif form is Format.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    else:
        out.print(_table(names, rows))


def _plain(value: Any) -> float | str:
    """What JSON lacks: a decimal is a number to a script, dates and the like are text."""
    return float(value) if isinstance(value, Decimal) else str(value)


def _table(names: list[str], rows: list[tuple[Any, ...]]) -> Table:
    table = Table(*map(_text, names))
    for row in rows:
        table.add_row(*("" if value is None else _text(value) for value in row))
    return table


def _text(value: Any) -> str:
    from rich.markup import escape

    return f"{value:.4g}" if isinstance(value, float) else escape(str(value))
