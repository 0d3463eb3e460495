"""Runs a statement on the published database, and prints its rows in one of four formats."""

from __future__ import annotations

import csv
import json
import sys
from decimal import Decimal
from enum import StrEnum
from typing import Any

import duckdb
from rich.markup import escape
from rich.table import Table

from pipelines.cli.common import new_table, out
from pipelines.errors import SluiceError

_NUMBERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE",
)  # fmt: skip
# More than any table needs, to measure what it needs.
WIDEST = 10_000


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    line = "line"


class QueryError(SluiceError):
    """The database does not accept the query."""


def run_query(
    connection: duckdb.DuckDBPyConnection, query: str, form: Format, limit: int | None = None
) -> tuple[int, bool]:
    """Print the rows of a statement, at most `limit`; (rows printed, whether there are more).

    Raises QueryError with the database's words.
    """
    if not query.strip(" \n\t;"):
        raise QueryError("There is no query: give one statement, e.g. 'show all tables'.")
    try:
        result = connection.execute(query)
        columns = [(name, _is_number(kind)) for name, kind, *_ in result.description or []]
        rows = result.fetchall() if limit is None else result.fetchmany(limit + 1)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise QueryError(f"The query failed: {error}") from error
    except (RuntimeError, KeyboardInterrupt) as error:
        # DuckDB's client makes either of Ctrl-C, and the query would go on in its threads.
        connection.interrupt()
        if isinstance(error, RuntimeError) and "interrupt" not in str(error).lower():
            raise
        raise KeyboardInterrupt from error
    shown = rows[:limit]
    print_rows(columns, shown, form)
    return len(shown), len(rows) > len(shown)


def print_rows(columns: list[tuple[str, bool]], rows: list[tuple[Any, ...]], form: Format) -> None:
    """Rows on standard output; `columns`: the name of each, and whether it holds numbers."""
    names = [name for name, _ in columns]
    if form is Format.json:
        records = [dict(zip(names, row, strict=True)) for row in rows]
        print(json.dumps(records, default=_plain, indent=2))
    elif form is Format.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(names)
        writer.writerows(rows)
    elif form is Format.line:
        _print_lines(names, rows)
    else:
        table = _table(columns, rows)
        # On a terminal a wide mart would be squeezed to a letter a column: show it upright then.
        wide = out.options.update(max_width=WIDEST)
        if out.is_terminal and out.measure(table, options=wide).maximum > out.width:
            _print_lines(names, rows)
        else:
            out.print(table)


def _print_lines(names: list[str], rows: list[tuple[Any, ...]]) -> None:
    width = max(map(len, names), default=0)
    for number, row in enumerate(rows, start=1):
        out.print(f"[dim]row {number}[/dim]")
        for name, value in zip(names, row, strict=True):
            out.print(f"{name:>{width}}  {_text(value)}", markup=False, soft_wrap=True)


def _table(columns: list[tuple[str, bool]], rows: list[tuple[Any, ...]]) -> Table:
    table = new_table()
    for name, is_number in columns:
        table.add_column(escape(name), justify="right" if is_number else "left")
    for row in rows:
        table.add_row(*(escape(_text(value)) for value in row))
    return table


def _is_number(kind: Any) -> bool:
    return str(kind) in _NUMBERS or str(kind).startswith("DECIMAL(")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _plain(value: Any) -> float | str:
    """What JSON lacks: a decimal is a number to a script, dates and the like are text."""
    return float(value) if isinstance(value, Decimal) else str(value)
