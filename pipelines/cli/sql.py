"""`sluice sql`: the published database, read-only."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from pipelines.cli.common import AsJson
from pipelines.cli.query_output import Format, QueryError
from pipelines.cli.shell import Shell, run_script, run_typed
from pipelines.config.settings import load_settings
from pipelines.warehouse.connect import published_database


def sql(
    query: Annotated[
        str | None,
        typer.Argument(help="A statement or .command; none: a shell, or a script from a pipe."),
    ] = None,
    form: Annotated[Format, typer.Option("--format", help="How to print rows.")] = Format.table,
    as_json: AsJson = False,
) -> None:
    """Query the published version (schemas: marts, ops); nothing can be changed.

    Without a statement a shell opens: history, TAB completion, '.help' lists its commands.
    """
    form = Format.json if as_json else form
    with published_database(load_settings().published_dir) as connection:
        connection.execute("set search_path = 'marts,ops'")
        shell = Shell(connection, form)
        if query is not None:
            if not query.strip(" \n\t;"):
                raise QueryError("There is no query: give one statement, e.g. 'show all tables'.")
            run_script(shell, query.splitlines())
        elif sys.stdin.isatty():
            run_typed(shell)
        else:
            run_script(shell, sys.stdin)
