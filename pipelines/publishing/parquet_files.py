"""The Parquet files of a version: one a mart, and of a mart by day a folder with one a month.

What did not change is the very file of the version before, by a hard link: versions are never
written to, and a file is gone when the last version that holds it is.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from pipelines.publishing.changed_rows import months
from pipelines.publishing.versions import Version
from pipelines.sql_text import literal

FOLDER = "parquet"
# Rows without a date; also the only file of a table by day that has no rows, for its columns.
UNDATED = "undated"


def write_parquet(
    connection: duckdb.DuckDBPyConnection,
    table: str,
    folder: Path,
    before: Version | None,
    changed: set[str | None] | None,
    *,
    is_by_day: bool,
) -> None:
    """Write a mart to the version in `folder`; of a mart by day only the months that `changed`.

    Their others are those of `before`, and so is the file of another mart with nothing in
    `changed`. With None as `changed` all of them are written.
    """
    for month, name, rows in _files(connection, table, is_by_day=is_by_day):
        same = None if changed is None or month in changed else before
        if not _link(same, name, folder / name):
            _copy(connection, rows, folder / name)


def _files(
    connection: duckdb.DuckDBPyConnection, table: str, *, is_by_day: bool
) -> Iterator[tuple[str | None, str, str]]:
    """Month, name and rows (SQL) of every file of a mart."""
    if not is_by_day:
        yield None, f"{FOLDER}/{table}.parquet", f"marts.{table}"
        return
    for month in months(connection, f"marts.{table}") or {None}:
        yield month, f"{FOLDER}/{table}/{month or UNDATED}.parquet", _rows_of(table, month)


def _rows_of(table: str, month: str | None) -> str:
    days = f"between date '{month}-01' and last_day(date '{month}-01')" if month else "is null"
    return f"(select * from marts.{table} where date {days} order by all)"


def _link(before: Version | None, name: str, target: Path) -> bool:
    """Whether `before` has the file as it was published, which then is at `target`, too."""
    if before is None or not before.has(name, source := before.path / name):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:
        # A file system without links, or a file with too many of them.
        shutil.copyfile(source, target)
    return True


def _copy(connection: duckdb.DuckDBPyConnection, rows: str, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    connection.execute(f"copy {rows} to {literal(target)} (format parquet)")
