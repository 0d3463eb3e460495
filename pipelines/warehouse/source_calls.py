"""Counts the calls of an API that answers only so many a day: in the database, so that a run that
was killed, or one more of the same day, does not begin from nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.warehouse.connect import build_database
from pipelines.warehouse.ops import insert_rows

DAY = timedelta(hours=24)


def calls_of_day(
    connection: duckdb.DuckDBPyConnection, source: str, property_id: str, now: datetime
) -> int:
    """Calls of the 24 hours before `now`; those of a clock that was a day ahead are no calls."""
    row = connection.execute(
        "select count(*) from ops.source_calls where source = $1 and property_id = $2 "
        "and called_at > $3 and called_at < $4",
        [source, property_id, now - DAY, now + DAY],
    ).fetchone()
    assert row is not None
    return int(row[0])


class CallLedger:
    """The calls of one source and property in any 24 hours, whenever their day begins."""

    def __init__(
        self, build_db: Path, source: str, property_id: str, now: Callable[[], datetime]
    ) -> None:
        self._build_db, self._now = build_db, now
        self._about = {"source": source, "property_id": property_id}

    def used(self) -> int:
        """Calls of the last 24 hours."""
        with build_database(self._build_db) as connection:
            return calls_of_day(connection, **self._about, now=self._now())

    def count(self) -> None:
        """Remember a call, before it is made."""
        with build_database(self._build_db) as connection:
            insert_rows(connection, "source_calls", [{**self._about, "called_at": self._now()}])
