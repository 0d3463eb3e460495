"""The shell of `sluice sql`: statements until ';' and commands with a dot, typed or given."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

import duckdb

from pipelines.cli.common import notes, say_error
from pipelines.cli.completion import line_editing
from pipelines.cli.query_output import Format, QueryError, print_rows, run_query

PROMPT, CONTINUED = "sluice> ", "   ...> "
HELP = """\
A statement ends with ';' and may take several lines. Nothing can be changed here.
.tables [WORD]      tables (with WORD in their names) and their rows
.describe TABLE     a table's columns, types and what they mean
.format FORMAT      how rows are printed: table, csv, json or line (csv and json: all of them)
.help  .quit        this text; leave (or Ctrl-D). Ctrl-C forgets what was typed. TAB completes."""
_ENDS = re.compile(r";\s*(--[^\n]*)?\s*\Z")
_TABLES = """
    select schema_name || '.' || table_name as name, estimated_size as rows,
        regexp_extract(comment, '^[^.]*') as holds
    from duckdb_tables() where name ilike '%' || ? || '%' order by name
"""
_COLUMNS = """
    select column_name, data_type, comment as means
    from duckdb_columns()
    where ? in (table_name, schema_name || '.' || table_name) order by schema_name, column_index
"""


@dataclass
class Shell:
    """One session on the published database."""

    connection: duckdb.DuckDBPyConnection
    form: Format
    is_typed: bool = False
    is_over: bool = False
    _lines: list[str] = field(default_factory=list)

    def feed(self, line: str) -> None:
        """Take a line; runs what it completes. Raises QueryError, and is then ready for more."""
        if not self._lines and line.lstrip().startswith("."):
            self._command(*line.split())
            return
        if not self._lines and not line.strip():
            return
        self._lines.append(line)
        if is_complete(self.connection, "\n".join(self._lines)):
            self.finish()

    def finish(self) -> None:
        """Run what was typed so far, ended or not."""
        text = self.forget()
        try:
            statements = self.connection.extract_statements(text)
        except duckdb.Error as error:
            raise QueryError(f"The query failed: {error}") from error
        for statement in statements:
            self._run(statement)

    def forget(self) -> str:
        """Begin a new statement; returns what was typed of the old one."""
        text, self._lines = "\n".join(self._lines), []
        return text

    @property
    def prompt(self) -> str:
        """Tells whether a statement has begun."""
        return CONTINUED if self._lines else PROMPT

    def _run(self, statement: duckdb.Statement) -> None:
        start = time.monotonic()
        count = run_query(self.connection, statement, self.form)
        if self.is_typed:
            notes.print(f"[dim]{count} in {time.monotonic() - start:.2f} s[/dim]")

    def _command(self, name: str, argument: str = "", *_: str) -> None:
        match name:
            case ".quit" | ".exit":
                self.is_over = True
            case ".tables":
                self._show(_TABLES, argument)
            case ".describe":
                if not self._show(_COLUMNS, argument.strip(";").lower()):
                    raise QueryError(f"There is no table '{argument}': '.tables' lists them.")
            case ".format" if argument in list(Format):
                self.form = Format(argument)
            case ".format":
                raise QueryError(f"Formats are {', '.join(Format)}: e.g. '.format csv'.")
            case ".help":
                notes.print(HELP, markup=False)
            case _:
                raise QueryError(f"There is no command '{name}': '.help' lists them.")

    def _show(self, query: str, argument: str) -> int:
        result = self.connection.execute(query, [argument])
        columns = [(str(column[0]), False) for column in result.description or []]
        rows = result.fetchall()
        if rows:
            print_rows(columns, [rows], self.form)
        return len(rows)


def is_complete(connection: duckdb.DuckDBPyConnection, text: str) -> bool:
    """Whether the text ends with a ';' that is not inside quotes or a comment."""
    if not _ENDS.search(text):
        return False
    try:
        connection.extract_statements(text)
    except duckdb.Error as error:
        return "unterminated" not in str(error)
    return True


def run_script(shell: Shell, lines: Iterable[str]) -> None:
    """A script from a pipe, or from the command line: the first error ends it."""
    for line in lines:
        shell.feed(line.rstrip("\n"))
        if shell.is_over:
            return
    shell.finish()


def run_typed(shell: Shell) -> None:
    """Talk with a person until '.quit' or Ctrl-D; errors are told, and it goes on."""
    shell.is_typed = True
    notes.print("The published version, read-only. '.help' explains; '.quit' leaves.")
    with line_editing(shell.connection):
        while not shell.is_over:
            try:
                shell.feed(_ask(shell.prompt))
            except QueryError as error:
                say_error(str(error))
            except KeyboardInterrupt:
                shell.forget()
                notes.print("\nStopped.")
            except EOFError:
                notes.print()
                return


def _ask(prompt: str) -> str:
    if sys.stdout.isatty():
        return input(prompt)
    # Rows go to a file: the prompt must not.
    notes.print(prompt, end="")
    return input()
