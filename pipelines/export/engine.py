"""Where statements over landed days run: DuckDB, or a Spark session. Small tables come back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from pipelines.export.errors import ExportError
from pipelines.sql_text import literal
from pipelines.warehouse.connect import quiet, scratch_database

NO_PARAMETERS: Mapping[str, Sequence[str]] = {}
# What an event of a user takes of memory while all of the user's are put in order: 110 bytes for
# what came next, 50 to 80 for a funnel.
EVENT_BYTES = 110


class Engine(Protocol):
    """Runs statements that are written in DuckDB's SQL; several threads may at once."""

    def rows(self, paths: Sequence[Path]) -> str:
        """FROM: the rows of landed files of one kind, and `date`, the day of their folder."""
        ...

    def parts(self, paths: Sequence[Path]) -> Sequence[str]:
        """FROM: the same rows of events in as many parts as memory asks for; all events of a user
        are in one of them.
        """
        ...

    def table(self, sql: str, parameters: Mapping[str, Sequence[str]] = NO_PARAMETERS) -> pa.Table:
        """What a statement finds; lists of texts stand for its `$name`s."""
        ...

    def counted(self, parts: Sequence[str], statement: Callable[[str], str]) -> pa.Table:
        """What a `statement` finds in the rows of SELECTs (its FROM), which run one by one."""
        ...


@dataclass(frozen=True)
class DuckDb:
    """In this process; `events_at_once`: of how many it puts users' events in order at once."""

    connection: duckdb.DuckDBPyConnection = field(
        default_factory=lambda: quiet(duckdb.connect(":memory:"))
    )
    events_at_once: int = sys.maxsize

    def rows(self, paths: Sequence[Path]) -> str:
        """As `Engine`."""
        listed = ", ".join(map(literal, paths))
        return (
            "(SELECT *, CAST(parse_path(filename, 'both_slash')[-2] AS DATE) AS date "
            f"FROM read_parquet([{listed}], filename = true))"
        )

    def parts(self, paths: Sequence[Path]) -> Sequence[str]:
        """As `Engine`: by the keys of users."""
        rows = self.rows(paths)
        # The files tell how many they have.
        (count,) = self.table(f"SELECT count(*) FROM {rows}")[0].to_pylist()
        number = max(1, -(-count // self.events_at_once))
        if number == 1:
            return [rows]
        return [f"(SELECT * FROM {rows} WHERE user_key % {number} = {k})" for k in range(number)]

    def table(self, sql: str, parameters: Mapping[str, Sequence[str]] = NO_PARAMETERS) -> pa.Table:
        """As `Engine`. Raises what DuckDB raises."""
        with quiet(self.connection.cursor()) as cursor:
            return cursor.execute(sql, dict(parameters)).to_arrow_table()

    def counted(self, parts: Sequence[str], statement: Callable[[str], str]) -> pa.Table:
        """As `Engine`. Raises what DuckDB raises."""
        first, *others = parts
        if not others:
            return self.table(statement(f"({first})"))
        with quiet(self.connection.cursor()) as cursor:
            cursor.execute(f"CREATE TEMP TABLE part AS {first}")
            for other in others:
                cursor.execute(f"INSERT INTO part {other}")
            return cursor.execute(statement("part")).to_arrow_table()


def open_engine(name: str, folder: Path) -> Engine:
    """The engine of the settings, for a property whose days are landed in `folder`.

    Raises ExportError where it cannot start.
    """
    if name == "duckdb":
        # Where memory ends; what a kill leaves of it, `Landing.recover` removes.
        connection = scratch_database(folder / ".counting.unfinished")
        limit = "SELECT parse_formatted_bytes(current_setting('memory_limit'))"
        (memory,) = connection.execute(limit).fetchone() or (0,)
        return DuckDb(connection, max(1, memory // EVENT_BYTES))
    try:
        from pipelines.export.spark import Spark  # noqa: PLC0415
    except ImportError as error:
        raise ExportError(
            "The engine spark needs PySpark: install it where Sluice is (pip install "
            "'pyspark>=4,<5'), or set 'engine: duckdb' in sluice.yml."
        ) from error
    return Spark.start()
