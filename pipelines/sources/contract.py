"""What a second source is, and what it brings."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.errors import SluiceError
from pipelines.ingest.day_window import DayWindow

logger = logging.getLogger("sluice")
# What every row has beside its source's own columns; the store writes them.
STAMPS = {"property_id": "VARCHAR", "fetch_id": "VARCHAR", "fetched_at": "TIMESTAMPTZ"}
# Completed days hardly change and cost next to nothing, so a night takes all of those again that
# anything compares: the weeks that are judged and those before them (anomaly_days +
# anomaly_history_days). A missed night heals itself.
HISTORY_DAYS = 90


class SourceError(SluiceError):
    """A second source gave no usable answer; what was fetched before stays.

    `is_general`: its other tables would end alike, and are not asked for any more.
    """

    def __init__(self, message: str, *, is_general: bool = False) -> None:
        super().__init__(message)
        self.is_general = is_general


class SourceAuditError(SourceError):
    """What came contradicts itself."""

    exit_code = 2


def as_source_error(error: Exception, what: str) -> SourceError:
    """The same where it is one; else a sentence for a fault of ours, without its words."""
    if isinstance(error, SourceError):
        return error
    logger.debug("%s", what, exc_info=error)
    return SourceError(
        f"{what} could not be fetched ({type(error).__name__}): what was fetched before stays; run "
        "'sluice doctor'."
    )


@dataclass(frozen=True)
class SourceTable:
    """One raw table. `columns`: its own, name → DuckDB type; `keys` of them name a row of a
    property, and are never NULL; `counts` are never negative.
    """

    name: str
    description: str
    columns: Mapping[str, str]
    keys: tuple[str, ...]
    counts: tuple[str, ...]

    @property
    def all_columns(self) -> dict[str, str]:
        """With the stamps."""
        return {**STAMPS, **self.columns}

    @property
    def schema(self) -> pa.Schema:
        """The own columns as Arrow has them."""
        return pa.schema([(name, _ARROW[kind]) for name, kind in self.columns.items()])


_ARROW = {
    "VARCHAR": pa.string(),
    "DATE": pa.date32(),
    "TIMESTAMPTZ": pa.timestamp("us", "UTC"),
    "INTEGER": pa.int32(),
    "BIGINT": pa.int64(),
    "DOUBLE": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "DECIMAL(18, 4)": pa.decimal128(18, 4),
}


@dataclass(frozen=True)
class Fetched:
    """What one fetch brought.

    `rows`: the own columns of `table`. `replaces`: partitions, in one way or in several, each as
    some of its columns; stored rows of the property that lie in one of them go. `requests`: how
    many it took.
    """

    table: SourceTable
    rows: pa.Table
    replaces: tuple[pa.Table, ...]
    requests: int = 0
    notes: tuple[str, ...] = ()
    time_zone: str | None = None
    currency: str | None = None


class Source(Protocol):
    """One account of one property."""

    @property
    def name(self) -> str:
        """Which source: the key of its section in sluice.yml."""
        ...

    @property
    def property_id(self) -> str:
        """The property that it is about."""
        ...

    @property
    def account(self) -> str:
        """What it is called there (a shop, a project)."""
        ...

    @property
    def tables(self) -> Sequence[SourceTable]:
        """The raw tables that it fills."""
        ...

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The rows of one table for the days of `window`, as far as they are over; raises
        SourceError.
        """
        ...


def with_history(window: DayWindow) -> DayWindow:
    """The days that are fetched for a run over `window`."""
    return DayWindow(min(window.start, window.end - timedelta(days=HISTORY_DAYS - 1)), window.end)


def audit(fetched: Fetched) -> Fetched:
    """The same, once it holds together; raises SourceAuditError.

    Keys are filled and there once, counts are not negative, and no row lies outside of the
    partitions that are replaced (it would be there twice the next night).
    """
    table, rows = fetched.table, fetched.rows
    for name in table.keys:
        if rows[name].null_count:
            raise _contradiction(table, f"{rows[name].null_count} rows have no {name}")
    if (twice := rows.num_rows - rows.group_by(list(table.keys)).aggregate([]).num_rows) > 0:
        raise _contradiction(table, f"{twice} rows are there twice")
    for name in table.counts:
        if (least := pc.min(rows[name]).as_py()) is not None and least < 0:
            raise _contradiction(table, f"{name} is {least}")
    for parts in fetched.replaces if rows.num_rows else ():
        names = parts.column_names
        if rows.join(parts, names, join_type="left anti", use_threads=False).num_rows:
            raise _contradiction(table, "rows of other days came than were asked for")
    return fetched


def _contradiction(table: SourceTable, what: str) -> SourceAuditError:
    return SourceAuditError(
        f"What came for {table.name} contradicts itself ({what}): what was fetched before stays; "
        "run the same night again later."
    )
