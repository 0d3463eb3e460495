"""What the next version will hold: today's `marts` and `ops`, and of properties that this run holds
back the rows of the version before. The page is made from it before it is published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb

from pipelines.errors import WarehouseError
from pipelines.publishing.versions import DATABASE
from pipelines.sql_text import identifier, literal
from pipelines.warehouse.connect import build_database, unlocked

PUBLISHED_SCHEMAS = ("marts", "ops")
# What DuckDB calls the database of the version that is being made.
OWN = Path(DATABASE).stem


# (database, schema, table) → name → type of its columns in their order.
Catalogue = Mapping[tuple[str, str, str], Mapping[str, str]]


@contextmanager
def next_version(
    build_db: Path, published_dir: Path, kept_back: tuple[str, ...]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection whose schemas `marts` and `ops` are views of what publishing would copy now."""
    with beside_build(build_db, ":memory:", published_dir, kept_back) as connection:
        catalogue = read_catalogue(connection)
        for schema in PUBLISHED_SCHEMAS:
            connection.execute(f"create schema {schema}")
        for schema, table in tables_to_publish(connection):
            rows = rows_to_publish(catalogue, schema, table, kept_back)
            connection.execute(f"create view {schema}.{table} as {rows}")
        yield connection


@contextmanager
def beside_build(
    build_db: Path, target: Path | str, published_dir: Path, kept_back: tuple[str, ...]
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection in which names without a database are those of `target`, attached as OWN.

    Rows come from `build`, and from `previous`, the current version, where something is kept.
    Raises WarehouseError when there is no build database.
    """
    if not build_db.exists():
        raise WarehouseError(f"There is no {build_db} to publish from: run 'sluice nightly'.")
    with build_database(build_db) as connection, ExitStack() as stack:
        connection.execute(f"attach {literal(target)} as {OWN}")
        stack.callback(connection.execute, f"use build; detach {OWN}")
        connection.execute(f"use {OWN}")
        previous = published_dir / "current" / DATABASE
        if kept_back and previous.exists():
            free = stack.enter_context(unlocked(previous.resolve()))
            connection.execute(f"attach {literal(free)} as previous (read_only)")
            stack.callback(connection.execute, "detach previous")
        yield connection


def tables_to_publish(
    connection: duckdb.DuckDBPyConnection, database: str = "build"
) -> list[tuple[str, str]]:
    """(schema, table) of everything that readers get, or got from another version."""
    return connection.execute(
        "select schema_name, table_name from duckdb_tables() "
        "where database_name = ? and list_contains(?, schema_name) order by all",
        [database, list(PUBLISHED_SCHEMAS)],
    ).fetchall()


def read_catalogue(connection: duckdb.DuckDBPyConnection) -> Catalogue:
    """The columns of every table that is published, or was, in all databases that are attached."""
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for database, schema, table, column, kind in connection.execute(
        "select database_name, schema_name, table_name, column_name, data_type "
        "from duckdb_columns() where list_contains(?, schema_name) order by column_index",
        [list(PUBLISHED_SCHEMAS)],
    ).fetchall():
        found.setdefault((database, schema, table), {})[column] = kind
    return found


def rows_to_publish(
    catalogue: Catalogue, schema: str, table: str, kept_back: tuple[str, ...]
) -> str:
    """SQL of a table's rows: of properties that are held back, those of the version before."""
    source = f"build.{schema}.{table}"
    today = catalogue["build", schema, table]
    if schema != "marts" or not kept_back or "property_id" not in today:
        return f"select * from {source}"
    names = ", ".join(map(literal, kept_back))
    fresh = f"select * from {source} where property_id not in ({names})"
    old = catalogue.get(("previous", schema, table), {})
    if "property_id" not in old:
        return fresh
    kept = f"select {_as_today(today, old)} from previous.{schema}.{table}"
    return f"{fresh} union all {kept} where property_id in ({names})"


def _as_today(today: Mapping[str, str], old: Mapping[str, str]) -> str:
    """Select list that gives rows of the version before today's columns and types.

    Columns that came since, and values that do not fit any more, are NULL; those that went are
    left out.
    """
    return ", ".join(
        f"try_cast({identifier(name) if name in old else 'null'} as {kind}) as {identifier(name)}"
        for name, kind in today.items()
    )
