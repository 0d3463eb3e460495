"""Counts the calls of an API that answers only so many a day: in the database, so that a run that
was killed, or one more of the same day, does not begin from nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from pipelines.warehouse.connect import build_database
from pipelines.warehouse.ops import insert_rows

DAY = timedelta(hours=24)


class CallLedger:
    """The calls of one source and property in any 24 hours, whenever their day begins."""

    def __init__(
        self, build_db: Path, source: str, property_id: str, now: Callable[[], datetime]
    ) -> None:
        self._build_db, self._now = build_db, now
        self._about = {"source": source, "property_id": property_id}

    def used(self) -> int:
        """Calls of the last 24 hours; those of a clock that was a day ahead are none of them."""
        now = self._now()
        with build_database(self._build_db) as connection:
            row = connection.execute(
                "select count(*) from ops.source_calls "
                "where source = $source and property_id = $property_id "
                "and called_at > $since and called_at < $until",
                {**self._about, "since": now - DAY, "until": now + DAY},
            ).fetchone()
        assert row is not None
        return int(row[0])

    def count(self) -> None:
        """Remember a call, before it is made."""
        with build_database(self._build_db) as connection:
            insert_rows(connection, "source_calls", [{**self._about, "called_at": self._now()}])
