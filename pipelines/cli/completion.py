"""Line editing for the shell of `sluice sql`: history in a file, and completion with TAB."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import duckdb

from pipelines.cli.query_output import Format

HISTORY = ".sluice_history"
HISTORY_LINES = 2000
COMMANDS = (".describe", ".exit", ".format", ".help", ".quit", ".tables")
# What a person asks of marts; duckdb knows many more words.
KEYWORDS = (
    "and", "as", "asc", "between", "by", "case", "count(*)", "desc", "describe", "distinct",
    "else", "end", "from", "group by", "having", "in", "is null", "join", "left join", "like",
    "limit", "not", "on", "or", "order by", "select", "sum(", "then", "using", "when", "where",
    "with",
)  # fmt: skip
_DELIMITERS = " \t\n,;()=<>+*/'\""


class Completer:
    """Completes tables, the columns of the tables a line names (else all), and keywords."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        rows = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where schema_name in ('marts', 'ops') order by all"
        ).fetchall()
        self._columns: dict[str, list[str]] = {}
        for _, table, column in rows:
            self._columns.setdefault(table, []).append(column)
        self._tables = sorted({f"{schema}.{table}" for schema, table, _ in rows})

    def candidates(self, word: str, line: str) -> list[str]:
        """What `word`, in the line as typed so far, may become."""
        if line.lstrip().startswith("."):
            if line.split(maxsplit=1)[0] == ".format":
                return _starting(word, Format)
            return _starting(word, (*COMMANDS, *self._columns, *self._tables))
        named = [self._columns[name] for name in self._columns if name in line]
        columns = sorted({name for some in named or self._columns.values() for name in some})
        before, dot, _ = word.rpartition(".")
        if dot and before not in {"marts", "ops"}:
            return _starting(word, [f"{before}.{name}" for name in columns])
        return _starting(word, (*self._columns, *self._tables, *columns, *KEYWORDS))


def _starting(word: str, names: Iterable[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(word.lower())})


@contextmanager
def line_editing(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """History and completion for `input`; nothing where Python has no readline."""
    try:
        import readline
    except ImportError:
        yield
        return
    completer = Completer(connection)

    def complete(word: str, number: int) -> str | None:
        found = completer.candidates(word, readline.get_line_buffer())
        return found[number] if number < len(found) else None

    readline.set_completer(complete)
    readline.set_completer_delims(_DELIMITERS)
    is_libedit = "libedit" in (readline.__doc__ or "")
    readline.parse_and_bind("bind ^I rl_complete" if is_libedit else "tab: complete")
    history = Path.home() / HISTORY
    with suppress(OSError):
        readline.read_history_file(history)
    try:
        yield
    finally:
        readline.set_history_length(HISTORY_LINES)
        with suppress(OSError):
            readline.write_history_file(history)
