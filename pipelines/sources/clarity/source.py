"""One project of Clarity as a second source: a snapshot a night, whatever days a run is about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cached_property

import duckdb
import pyarrow as pa

from pipelines.config.second_sources import Clarity
from pipelines.config.settings import Settings
from pipelines.ga4.rate_limit import Clock
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.clarity.client import HOURS_A_DAY, MOST_DAYS, ClarityClient
from pipelines.sources.clarity.tables import CLARITY_PAGE, CLARITY_TABLES
from pipelines.sources.contract import Fetched, SourceTable
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.source_calls import CallLedger
from pipelines.wording import counted

# Nights begin an hour sooner or later; a second run of the same day finds the snapshot taken.
LEAST_HOURS, SLACK_HOURS = 20, 6


class ClaritySource:
    """Fits `pipelines.sources.contract.Source`."""

    name = "clarity"
    tables: Sequence[SourceTable] = CLARITY_TABLES

    def __init__(self, entry: Clarity, settings: Settings, clock: Clock | None = None) -> None:
        """Windows and the count of calls go by the home's clock, waits by `clock`."""
        self.property_id, self.account = entry.property, "Clarity"
        self._entry, self._build_db, self._now = entry, settings.build_db, settings.clock.now
        self._clock = clock

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The hours up to now since the last snapshot, up to 72; nothing where that is of today.

        Raises SourceError.
        """
        now = self._now().replace(microsecond=0)
        with build_database(self._build_db) as connection:
            last = last_snapshot(connection, self.property_id, now)
            ahead = _snapshots_ahead(connection, self.property_id, now)
        hours = None if last is None else (now - last) / timedelta(hours=1)
        if hours is not None and abs(hours) < LEAST_HOURS:
            note = f"The snapshot of {last:%Y-%m-%d %H:%M} UTC is of the same day: no call is made."
            return Fetched(table, table.schema.empty_table(), (_parts([]),), notes=(note,))
        days = days_since(hours)
        before = self._client.requests
        whole = self._client.insights(days, by_page=False)
        pages = self._client.insights(days, by_page=True)
        rows = [
            {
                "window_end": now,
                "window_hours": days * HOURS_A_DAY,
                "is_complete": pages.is_complete,
                **row,
            }
            for row in (*whole.rows, *pages.rows)
        ]
        notes = []
        if pages.without_page:
            notes.append(f"{pages.without_page} rows have no address of a page.")
        if not pages.is_complete:
            notes.append("Clarity told no more than 1,000 rows: rarely seen pages are missing.")
        lost = 0 if hours is None else round(hours - days * HOURS_A_DAY)
        if ahead:
            notes.append("Snapshots of moments that have not come yet are taken out.")
        if lost > 0:
            notes.append(f"{counted(lost, 'hour')} before it cannot be had any more.")
        return Fetched(
            table,
            pa.Table.from_pylist(rows, table.schema),
            (_parts([now, *ahead]),),
            requests=self._client.requests - before,
            notes=tuple(notes),
            time_zone="UTC",
        )

    @cached_property
    def _client(self) -> ClarityClient:
        ledger = CallLedger(self._build_db, self.name, self.property_id, self._now)
        return ClarityClient(self._entry, ledger, self._clock)


def last_snapshot(
    connection: duckdb.DuckDBPyConnection, property_id: str, now: datetime
) -> datetime | None:
    """When the newest snapshot of a property was taken; None where there is none."""
    row = connection.execute(
        f"select max(window_end) from raw.{CLARITY_PAGE.name} "
        "where property_id = ? and window_end < ?",
        [property_id, now + timedelta(hours=LEAST_HOURS)],
    ).fetchone()
    return row[0] if row else None


def _snapshots_ahead(
    connection: duckdb.DuckDBPyConnection, property_id: str, now: datetime
) -> list[datetime]:
    """Stamps of a clock that was wrong: they would be the newest ones until that moment comes."""
    found = connection.execute(
        f"select distinct window_end from raw.{CLARITY_PAGE.name} "
        "where property_id = ? and window_end >= ?",
        [property_id, now + timedelta(hours=LEAST_HOURS)],
    ).fetchall()
    return [end for (end,) in found]


def days_since(hours: float | None) -> int:
    """How many times 24 hours are asked for, `hours` after the last snapshot (None: the first)."""
    if hours is None:
        return MOST_DAYS
    return next(
        (days for days in range(1, MOST_DAYS) if hours <= days * HOURS_A_DAY + SLACK_HOURS),
        MOST_DAYS,
    )


def _parts(ends: list[datetime]) -> pa.Table:
    return pa.table({"window_end": pa.array(ends, pa.timestamp("us", "UTC"))})
