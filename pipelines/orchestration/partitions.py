"""Day partitions in the property's time zone, a run's tags, and the days that a run changes."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from dagster import DagsterRun, DailyPartitionsDefinition

from pipelines.config.settings import Settings
from pipelines.ingest.day_window import FIRST_DAY, DayWindow, window_of_tags
from pipelines.warehouse.runs import pulled_days

COMMAND_TAG = "sluice/command"
BACKFILL_TAG = "sluice/backfill_id"


def daily_partitions(zone: ZoneInfo) -> DailyPartitionsDefinition:
    """One partition a day; a day exists when it is over in `zone`."""
    return DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat(), timezone=str(zone))


def worked_window(settings: Settings, run: DagsterRun) -> DayWindow | None:
    """The days that a run changes: its window, and what it pulled further back."""
    window = window_of_tags(run.tags)
    if window is None:
        return None
    days = pulled_days(settings.build_db, run.run_id)
    return window.joined(DayWindow(*days) if days else None)
