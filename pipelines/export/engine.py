"""Where statements over landed days run: DuckDB, or a Spark session. Small tables come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import duckdb
import pyarrow as pa

from pipelines.export.errors import ExportError
from pipelines.sql_text import literal
from pipelines.warehouse.connect import quiet, scratch_database

NO_PARAMETERS: Mapping[str, Sequence[str]] = {}


class Engine(Protocol):
    """Runs statements that are written in DuckDB's SQL; several threads may at once."""

    def rows(self, paths: Sequence[Path]) -> str:
        """FROM: the rows of landed files of one kind, and `date`, the day of their folder."""
        ...

    def table(self, sql: str, parameters: Mapping[str, Sequence[str]] = NO_PARAMETERS) -> pa.Table:
        """What a statement finds; lists of texts stand for its `$name`s."""
        ...


@dataclass(frozen=True)
class DuckDb:
    """In this process."""

    connection: duckdb.DuckDBPyConnection = field(
        default_factory=lambda: quiet(duckdb.connect(":memory:"))
    )

    def rows(self, paths: Sequence[Path]) -> str:
        """As `Engine`."""
        listed = ", ".join(map(literal, paths))
        return (
            "(SELECT *, CAST(parse_path(filename, 'both_slash')[-2] AS DATE) AS date "
            f"FROM read_parquet([{listed}], filename = true))"
        )

    def table(self, sql: str, parameters: Mapping[str, Sequence[str]] = NO_PARAMETERS) -> pa.Table:
        """As `Engine`. Raises what DuckDB raises."""
        with quiet(self.connection.cursor()) as cursor:
            return cursor.execute(sql, dict(parameters)).to_arrow_table()


def open_engine(name: str, folder: Path) -> Engine:
    """The engine of the settings, for a property whose days are landed in `folder`.

    Raises ExportError where it cannot start.
    """
    if name == "duckdb":
        # Where memory ends; what a kill leaves of it, `Landing.recover` removes.
        return DuckDb(scratch_database(folder / ".counting.unfinished"))
    try:
        from pipelines.export.spark import Spark  # noqa: PLC0415
    except ImportError as error:
        raise ExportError(
            "The engine spark needs PySpark: install it where Sluice is (pip install "
            "'pyspark>=4,<5'), or set 'engine: duckdb' in sluice.yml."
        ) from error
    return Spark.start()
