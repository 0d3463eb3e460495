"""One shop as a second source, by whichever way its entry says."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa

from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Settings
from pipelines.ga4.rate_limit import Clock
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import Fetched, SourceError, SourceTable
from pipelines.sources.files import files_of, short_name
from pipelines.sources.shopify.api import ShopifyApi
from pipelines.sources.shopify.client import ShopifyClient
from pipelines.sources.shopify.csv_drop import Drop, join_drops, read_drop
from pipelines.sources.shopify.tables import (
    AS_REPORTED,
    CSV,
    FUNNEL,
    SHOPIFY_SESSIONS,
    SHOPIFY_TABLES,
)
from pipelines.warehouse.connect import build_database
from pipelines.wording import without_folder


def shopify_source(
    entry: Shopify, settings: Settings, clock: Clock | None = None
) -> ApiSource | CsvSource:
    """The source of an entry; nothing is read yet. `clock`: what waits go by."""
    if entry.csv is not None:
        return CsvSource(entry, settings)
    return ApiSource(entry, settings, clock)


class ApiSource:
    """By the Admin API."""

    name = "shopify"
    tables: Sequence[SourceTable] = SHOPIFY_TABLES

    def __init__(self, entry: Shopify, settings: Settings, clock: Clock | None) -> None:
        """Days and stamps go by the home's clock, waits by `clock`."""
        self.property_id, self.account = entry.property, entry.shop
        self._entry, self._now, self._clock = entry, settings.clock.now, clock

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The rows of one table; raises SourceError."""
        return self.api.fetch(table, window)

    @cached_property
    def api(self) -> ShopifyApi:
        """What is asked of the shop; raises SourceError without a token."""
        return ShopifyApi(ShopifyClient(self._entry, self._clock), self._now)


class CsvSource:
    """By files of the sessions report; orders and checkouts are in none of them."""

    name = "shopify"
    tables: Sequence[SourceTable] = (SHOPIFY_SESSIONS,)

    def __init__(self, entry: Shopify, settings: Settings) -> None:
        """Days are those of the entry's time zone, or else of its property's."""
        self.property_id, self.account = entry.property, entry.shop
        assert entry.csv is not None, "one with a token is no CsvSource"
        self._pattern, self._build_db = entry.csv, settings.build_db
        own = next(item for item in settings.properties if item.id == entry.property)
        self.zone = entry.time_zone or own.time_zone or "UTC"

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The days of `window` that the files have; others stay as they were. So does a day that is
        stored whole where the files have a part of it: an older one was put back.
        """
        drops, whole = self._drops(), self._whole_days()
        found = {
            (day, device): (counts, is_over)
            for (day, device), (counts, is_over) in join_drops(drops, self._is_over).items()
            if window.start <= day <= window.end and (is_over or day not in whole)
        }
        rows = [
            {
                "shop": self.account,
                "date": day,
                "device": device,
                "bot_filter": AS_REPORTED,
                **dict(zip(FUNNEL, counts, strict=True)),
                "is_complete": is_complete,
                "origin": CSV,
            }
            for (day, device), (counts, is_complete) in found.items()
        ]
        days = sorted({day for day, _ in found})
        return Fetched(
            table,
            pa.Table.from_pylist(rows, schema=table.schema),
            (pa.table({"date": pa.array(days, pa.date32())}),),
            notes=tuple(note for drop in drops for note in drop.notes),
            time_zone=self.zone,
        )

    def days(self) -> list[date]:
        """The days that the files have, in order; raises SourceError."""
        return sorted({day for drop in self._drops() for day, _ in drop.rows})

    def _whole_days(self) -> set[date]:
        if not self._build_db.exists():
            return set()
        with build_database(self._build_db) as connection:
            stored = connection.execute(
                f"select distinct date from raw.{SHOPIFY_SESSIONS.name} "
                "where property_id = ? and is_complete",
                [self.property_id],
            ).fetchall()
        return {day for (day,) in stored}

    def _drops(self) -> list[Drop]:
        drops = [self._drop(path) for path in files_of(self._pattern, "csv")]
        if not any(drop.rows for drop in drops):
            raise SourceError(
                f"No file that matches {short_name(self._pattern)} has a day of {self.account}: "
                "correct 'csv' in sluice.yml, or put a report there."
            )
        return sorted(drops, key=lambda one: (one.path.stat().st_mtime, one.path))

    def _drop(self, path: Path) -> Drop:
        try:
            return read_drop(path)
        except SourceError as error:
            raise SourceError(without_folder(str(error), path)) from error

    def _is_over(self, path: Path, day: date) -> bool:
        """Whether the day had ended when the file was written."""
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        return day < written.astimezone(ZoneInfo(self.zone)).date()
