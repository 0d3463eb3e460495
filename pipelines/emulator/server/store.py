"""Loads one event store into an in-memory DuckDB prepared for fast answers.

Tables: `hits` (one row per event that has a user) and `items` (one row per item of such an
event). What a field of the API means is in `fields`; which rows are read is in `query`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from pipelines.emulator.server.errors import EmulatorError
from pipelines.emulator.server.export import ExportColumns
from pipelines.emulator.server.properties import Property, read_property
from pipelines.emulator.server.tables import (
    FIRST_PURCHASES_SQL,
    PAGES_SQL,
    USERS_SQL,
    hits_sql,
    items_sql,
    sessions_sql,
    staged_sql,
    words_sql,
)

# Daily tables only: an intraday table of the same date would count its events twice.
EVENT_FILES = "events_[0-9]*.parquet"
# What an answer cannot do without; all other columns read as empty where they are missing.
REQUIRED_COLUMNS = (
    "event_date",
    "event_timestamp",
    "event_name",
    "event_params",
    "user_pseudo_id",
)


@dataclass(frozen=True)
class EventStore:
    """A loaded property. Take one cursor per request: cursors may be used at the same time."""

    about: Property
    connection: duckdb.DuckDBPyConnection
    files: tuple[str, ...]
    columns: ExportColumns

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, with temporary tables of its own."""
        return self.connection.cursor()

    def close(self) -> None:
        """Frees the database."""
        self.connection.close()


def load_store(folder: Path) -> EventStore:
    """Reads `property.json` and every daily events file of a folder.

    Raises EmulatorError when there are no events, or a file cannot be read.
    """
    files = [str(file) for file in sorted(folder.glob(EVENT_FILES))]
    if not files:
        raise EmulatorError(
            f"{folder} holds no events_YYYYMMDD.parquet file: write some with "
            "`sluice simulate --out`, or name the folder that has them."
        )
    about = read_property(folder / "property.json")
    connection = duckdb.connect(":memory:")
    connection.execute("set enable_progress_bar = false")
    try:
        columns = _load(connection, files, about)
    except EmulatorError:
        connection.close()
        raise
    except duckdb.Error as error:
        connection.close()
        reason = str(error).splitlines()[0]
        raise EmulatorError(
            f"The events in {folder} cannot be read as a GA4 export ({reason}): check the files."
        ) from error
    return EventStore(about, connection, tuple(files), columns)


def _load(
    connection: duckdb.DuckDBPyConnection, files: list[str], about: Property
) -> ExportColumns:
    # The order of rows means nothing here; keeping it costs time and memory.
    connection.execute("SET preserve_insertion_order = false")
    source = connection.read_parquet(files, union_by_name=True)
    columns = ExportColumns(dict(zip(source.columns, source.types, strict=True)))
    if missing := [name for name in REQUIRED_COLUMNS if not columns.has(name)]:
        raise EmulatorError(
            f"{files[0]} and its like have no column {', '.join(missing)}: they are not a GA4 "
            "export; name a folder of events_YYYYMMDD.parquet in its schema."
        )
    connection.execute(f"CREATE TEMP TABLE staged AS {staged_sql(columns, about)}", [files])
    connection.execute(f"CREATE TABLE items AS {items_sql(columns)}", [files])
    connection.execute(f"CREATE TEMP TABLE sessions AS {sessions_sql()}")
    connection.execute(f"CREATE TEMP TABLE users AS {USERS_SQL}")
    connection.execute(f"CREATE TEMP TABLE first_purchases AS {FIRST_PURCHASES_SQL}")
    connection.execute(f"CREATE TEMP TABLE pages AS {PAGES_SQL}")
    connection.execute(f"CREATE TYPE word AS ENUM ({words_sql(about)})")
    connection.execute(f"CREATE TABLE hits AS {hits_sql(about)}")
    for table in ("staged", "sessions", "users", "first_purchases", "pages"):
        connection.execute(f"DROP TABLE {table}")
    # Requests come several at a time, and each is too small to be shared between processors.
    connection.execute("SET threads = 1")
    return columns
