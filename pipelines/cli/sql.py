"""`sluice sql`: the published database, read-only, in DuckDB's own shell and tables."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipelines.cli.common import AsJson
from pipelines.cli.duckdb_shell import open_shell, print_tables
from pipelines.cli.query_output import Format, QueryError, print_rows
from pipelines.config.settings import load_settings
from pipelines.warehouse.connect import published_database, published_file


def sql(
    query: Annotated[
        str | None,
        typer.Argument(help="Statements or a .command; none: a shell, or a script from a pipe."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print rows.")] = Format.table,
    as_json: AsJson = False,
) -> None:
    """Query the published version (schemas: marts, ops); nothing can be changed.

    Without a statement DuckDB's shell opens, which may also write files: copy … to 'leaks.csv'.
    """
    form = Format.json if as_json else form
    published = load_settings().published_dir
    if query is None and sys.stdin.isatty():
        with published_file(published) as path:
            open_shell(path, form)
        return
    text = sys.stdin.read() if query is None else query
    if not text.strip(" \n\t;"):
        raise QueryError("There is no query: give one statement, e.g. 'show all tables'.")
    if form is Format.table:
        with published_file(published) as path:
            print_tables(path, text)
    else:
        with published_database(published) as connection:
            print_rows(connection, text, form)
