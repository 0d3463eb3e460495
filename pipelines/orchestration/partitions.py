"""Day partitions in the property's time zone, and a run's tags."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dagster import DailyPartitionsDefinition

from pipelines.ingest.day_window import FIRST_DAY

COMMAND_TAG = "sluice/command"
BACKFILL_TAG = "sluice/backfill_id"


def daily_partitions(zone: ZoneInfo) -> DailyPartitionsDefinition:
    """One partition a day; a day exists when it is over in `zone`."""
    return DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=str(zone))
