"""Statements on the published database as CSV or JSON: all rows, written as they come from it.

Not DuckDB's own, in which a text may be a formula, NULL is an empty text, NaN is no JSON and a
decimal is a text. Tables are DuckDB's: `duckdb_shell`.
"""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from enum import StrEnum
from itertools import chain
from itertools import count as count_from
from math import isfinite
from typing import Any

import duckdb

from pipelines.cli.common import visible
from pipelines.errors import SluiceError

# What a table's bare name is looked for in.
SEARCH_PATH = "set search_path = 'marts,ops'"
_CHUNK = 2_000
# A spreadsheet takes a text that begins so for a formula, the last four in East Asian editions.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_NEEDS_QUOTES = re.compile('[",\r\n]')
Rows = list[tuple[Any, ...]]


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"


class QueryError(SluiceError):
    """The database does not accept the query."""


def print_rows(connection: duckdb.DuckDBPyConnection, script: str, form: Format) -> None:
    """Print the rows of each statement; none of them reaches a file.

    Raises QueryError with the database's words at the first one that fails.
    """
    if script.lstrip().startswith("."):
        raise QueryError("A .command prints as the shell does: leave out --format and --json.")
    try:
        connection.execute(f"{SEARCH_PATH}; set enable_external_access = false")
        for statement in connection.extract_statements(script):
            _print_statement(connection, statement, form)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise QueryError(f"The query failed: {error}") from error


def _print_statement(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, form: Format
) -> None:
    with _stopped_by_ctrl_c(connection):
        result = connection.execute(statement)
    if duckdb.ExpectedResultType.NOTHING in statement.expected_result_type:
        return
    names = [str(name) for name, *_ in result.description or []]
    rows = chain.from_iterable(iter(lambda: _next_rows(connection, result), []))
    if form is Format.csv:
        _print_csv(names, rows)
    else:
        _print_json(_distinct(names), rows)


def _next_rows(connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyConnection) -> Rows:
    with _stopped_by_ctrl_c(connection):
        return result.fetchmany(_CHUNK)


@contextmanager
def _stopped_by_ctrl_c(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have Ctrl-C end what the connection computes, with an InterruptException.

    DuckDB's own way is to raise at once and to wait for its threads, which do not know of it: where
    one of them had the query, the command hung until it was through.
    """
    pressed = threading.Event()

    def stop(*_: object) -> None:
        pressed.set()
        connection.interrupt()

    before = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed.is_set():
        raise KeyboardInterrupt


def _print_csv(names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    # A person who looks at it gets no control characters; a file gets what is there.
    seen = visible if sys.stdout.isatty() else str
    for row in chain([names], rows):
        sys.stdout.write(seen(",".join(map(_csv_cell, row))) + "\n")


def _csv_cell(value: Any) -> str:
    """Nothing for NULL, `""` for an empty text; a text is never a formula."""
    if value is None:
        return ""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    text = f"'{value}" if is_formula else str(value)
    if text and not _NEEDS_QUOTES.search(text):
        return text
    return '"{}"'.format(text.replace('"', '""'))


def _print_json(names: list[str], rows: Iterable[tuple[Any, ...]]) -> None:
    before = "[\n"
    for row in rows:
        record = dict(zip(names, map(_finite, row), strict=True))
        sys.stdout.write(before + json.dumps(record, default=_json_value))
        before = ",\n"
    sys.stdout.write("[]\n" if before == "[\n" else "\n]\n")


def _distinct(names: list[str]) -> list[str]:
    """Two columns of one name would be one in JSON: the second gets a number, as in DuckDB."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count_from(1))
        found.append(next(one for one in chain([name], numbered) if one not in found))
    return found


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are text."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _json_value(value: Any) -> float | str:
    """What JSON lacks: a decimal is a number to a script, dates and the like are text."""
    return float(value) if isinstance(value, Decimal) else str(value)
