"""Runs a statement on the published database, and prints its rows in one of four formats.

Tables and lines are for the eye: the first rows, and of a table the columns that fit; a line says
what is not shown. CSV and JSON are everything, written as it comes from the database.
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
from itertools import chain, islice
from itertools import count as count_from
from math import isfinite
from typing import Any

import duckdb
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.markup import escape

from pipelines.cli.common import new_table, out, visible
from pipelines.errors import SluiceError

_NUMBERS = (
    "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER",
    "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE",
)  # fmt: skip
# Rows of a table or of lines; what follows is counted, as far as that takes no time.
ROWS_SHOWN = 40
_COUNTED = 100_000
_CHUNK = 2_000
# Cells that are longer are folded, unless there is room left.
_CELL_WIDTH = 40
# What a table takes beside its cells: two for the padding and one between columns.
_BESIDE = 3
# A spreadsheet takes a text that begins so for a formula, the last four in East Asian editions.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# From here on four digits would round whole numbers away.
_FOUR_DIGITS = 1000
_NEEDS_QUOTES = re.compile('[",\r\n]')
Rows = list[tuple[Any, ...]]
Columns = list[tuple[str, bool]]


class Format(StrEnum):
    """How rows are printed."""

    table = "table"
    csv = "csv"
    json = "json"
    line = "line"


class QueryError(SluiceError):
    """The database does not accept the query."""


def run_query(
    connection: duckdb.DuckDBPyConnection, statement: duckdb.Statement, form: Format
) -> str:
    """Print the rows of a statement; returns how many there are, in words.

    Raises QueryError with the database's words.
    """
    try:
        with _stopped_by_ctrl_c(connection):
            result = connection.execute(statement)
        if duckdb.ExpectedResultType.NOTHING in statement.expected_result_type:
            return "Done"
        columns = [(name, _is_number(kind)) for name, kind, *_ in result.description or []]
        chunks = iter(lambda: _next_rows(connection, result), [])
        return print_rows(columns, chunks, form, ROWS_SHOWN)
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise QueryError(f"The query failed: {error}") from error


def _next_rows(connection: duckdb.DuckDBPyConnection, result: duckdb.DuckDBPyConnection) -> Rows:
    with _stopped_by_ctrl_c(connection):
        return result.fetchmany(_CHUNK)


@contextmanager
def _stopped_by_ctrl_c(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Have Ctrl-C end what the connection computes, with an InterruptException.

    DuckDB's own way is to raise at once and to wait for its threads, which do not know of it: where
    one of them had the query, the shell hung until it was through.
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


def print_rows(
    columns: Columns, chunks: Iterable[Rows], form: Format, limit: int | None = None
) -> str:
    """Rows on standard output; returns how many there are, in words.

    `columns`: the name of each, and whether it holds numbers. `limit`: rows of a table or of
    lines; CSV and JSON are always whole.
    """
    names = [name for name, _ in columns]
    rows = chain.from_iterable(chunks)
    if form is Format.csv:
        return _in_words(_print_csv(names, rows))
    if form is Format.json:
        return _in_words(_print_json(_distinct(names), rows))
    shown = [[_text(value) for value in row] for row in islice(rows, limit)]
    if form is Format.line:
        _print_lines(names, shown)
    else:
        _print_table(columns, shown)
    rest = sum(1 for _ in islice(rows, _COUNTED))
    more_than = "more than " if rest == _COUNTED else ""
    if rest:
        out.print(
            f"… {more_than}{rest:,} more row{'s' * (rest != 1)}: --format csv shows all, or say "
            "limit in the query.",
            markup=False,
        )
    return more_than + _in_words(len(shown) + rest)


def _in_words(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _print_csv(names: list[str], rows: Iterable[tuple[Any, ...]]) -> int:
    # A person who looks at it gets no control characters; a file gets what is there.
    seen = visible if sys.stdout.isatty() else str
    count = -1
    for row in chain([names], rows):
        sys.stdout.write(seen(",".join(map(_csv_cell, row))) + "\n")
        count += 1
    return count


def _csv_cell(value: Any) -> str:
    """Nothing for NULL, `""` for an empty text; a text is never a formula."""
    if value is None:
        return ""
    is_formula = isinstance(value, str) and value.startswith(_FORMULA)
    text = f"'{value}" if is_formula else str(value)
    if text and not _NEEDS_QUOTES.search(text):
        return text
    return '"{}"'.format(text.replace('"', '""'))


def _print_json(names: list[str], rows: Iterable[tuple[Any, ...]]) -> int:
    count = 0
    for row in rows:
        record = dict(zip(names, map(_finite, row), strict=True))
        sys.stdout.write((",\n" if count else "[\n") + json.dumps(record, default=_plain))
        count += 1
    sys.stdout.write("\n]\n" if count else "[]\n")
    return count


def _distinct(names: list[str]) -> list[str]:
    """Two columns of one name would be one in JSON: the second gets a number, as in DuckDB."""
    found: list[str] = []
    for name in names:
        numbered = (f"{name}_{number}" for number in count_from(1))
        found.append(next(one for one in chain([name], numbered) if one not in found))
    return found


def _print_lines(names: list[str], rows: list[list[str]]) -> None:
    width = max(map(len, names), default=0)
    for number, row in enumerate(rows, start=1):
        out.print(f"[dim]row {number}[/dim]")
        for name, text in zip(names, row, strict=True):
            # Further lines of a text are indented: none can pass for a row.
            aligned = text.replace("\n", "\n" + " " * (width + 2))
            out.print(f"{name:>{width}}  {aligned}", markup=False, soft_wrap=True)


def _print_table(columns: Columns, rows: list[list[str]]) -> None:
    """The columns from the left that fit; a line names the others."""
    names = [visible(name) for name, _ in columns]
    widths = _widths([max(map(_width, cells)) for cells in zip(names, *rows, strict=True)])
    table = new_table()
    for (name, is_number), width in zip(columns, widths, strict=False):
        justify: JustifyMethod = "right" if is_number else "left"
        table.add_column(escape(name), justify=justify, width=width, overflow="fold")
    for row in rows:
        table.add_row(*map(escape, row[: len(widths)]))
    if widths:
        out.print(table)
    if others := names[len(widths) :]:
        many = f"{len(others)} more column{'s' * (len(others) != 1)}"
        out.print(f"{many}: {', '.join(others)}; --format csv shows all.", markup=False)


def _widths(wanted: list[int]) -> list[int]:
    """Widths of the columns that fit; what is left goes to those whose cells are folded."""
    left = out.width - 1
    widths: list[int] = []
    for width in wanted:
        given = min(width, _CELL_WIDTH) + _BESIDE
        if given > left and widths:
            break
        widths.append(max(min(given, left) - _BESIDE, 1))
        left -= given
    for number, width in enumerate(widths):
        more = max(min(wanted[number] - width, left), 0)
        widths[number] += more
        left -= more
    return widths


def _is_number(kind: Any) -> bool:
    return str(kind) in _NUMBERS or str(kind).startswith("DECIMAL(")


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < _FOUR_DIGITS else f"{value:.1f}"
    return visible(str(value)).replace("\t", "\\t")


def _width(text: str) -> int:
    return max(map(cell_len, text.split("\n")))


def _finite(value: Any) -> Any:
    """JSON has no NaN and no infinity: they are text."""
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _plain(value: Any) -> float | str:
    """What JSON lacks: a decimal is a number to a script, dates and the like are text."""
    return float(value) if isinstance(value, Decimal) else str(value)
