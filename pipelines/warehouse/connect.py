"""Opens DuckDB files, always in a `with` block: nothing of ours is open while dbt runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError
from pipelines.warehouse.schema import OPS_TABLES, SCHEMAS


@contextmanager
def build_database(path: Path, *, read_only: bool = False) -> Iterator[duckdb.DuckDBPyConnection]:
    """The build database with its schemas and `ops` tables in place.

    Raises WarehouseError when the file is locked by another process, unreadable or not there
    (`read_only`).
    """
    if not read_only:
        path.parent.mkdir(parents=True, exist_ok=True)
    with _open(path, read_only=read_only) as connection:
        if not read_only:
            _prepare(connection)
        yield connection


@contextmanager
def published_database(published_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The current published version, read-only.

    Raises WarehouseError when nothing was published yet.
    """
    path = published_dir / "current" / "sluice.duckdb"
    if not path.exists():
        raise WarehouseError(
            f"Nothing is published in {published_dir} yet: run 'sluice nightly' or 'sluice demo'."
        )
    with _open(path.resolve(), read_only=True) as connection:
        yield connection


def quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The same connection as on every machine.

    Without DuckDB's own progress bar, which would print amid our lines, and with moments in UTC
    whatever the machine's zone is: it would decide about their days.
    """
    connection.execute("set enable_progress_bar = false; set TimeZone = 'UTC'")
    return connection


def _open(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    try:
        return quiet(duckdb.connect(str(path), read_only=read_only))
    except duckdb.IOException as error:
        problem = "is open in another process" if "lock" in str(error) else "cannot be opened"
        raise WarehouseError(
            f"The database {path} {problem}: {str(error).splitlines()[0]}"
        ) from error


def _prepare(connection: duckdb.DuckDBPyConnection) -> None:
    for schema in SCHEMAS:
        connection.execute(f"create schema if not exists {schema}")
    for table, columns in OPS_TABLES.items():
        body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        connection.execute(f"create table if not exists ops.{table} ({body})")
        for name in columns.keys() - _columns(connection, table):
            kind = columns[name].removesuffix(" PRIMARY KEY")
            connection.execute(f"alter table ops.{table} add column {name} {kind}")


def _columns(connection: duckdb.DuckDBPyConnection, table: str) -> set[str]:
    """An older build database may lack columns that came later."""
    rows = connection.execute(
        "select column_name from duckdb_columns() where schema_name = 'ops' and table_name = ?",
        [table],
    ).fetchall()
    return {name for (name,) in rows}
