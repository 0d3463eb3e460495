"""When the nightly job starts by itself."""

from __future__ import annotations

from datetime import datetime

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.ingest.day_window import DayWindow, nightly_window
from pipelines.ingest.run_window import newest_day, plan_window
from pipelines.orchestration.partitions import COMMAND_TAG


def build_nightly_schedule(
    settings: Settings, job: UnresolvedAssetJobDefinition
) -> ScheduleDefinition:
    """Every night at `nightly.at` in the first property's time zone, over the lookback window."""
    hour, minute = settings.nightly.at.split(":")
    zone = settings.time_zone

    def request(context: ScheduleEvaluationContext) -> RunRequest:
        window = _window(settings, settings.clock.at(context.scheduled_execution_time))
        return RunRequest(run_key=str(window.end), tags={**window.tags(), COMMAND_TAG: "schedule"})

    return ScheduleDefinition(
        name="nightly",
        job=job,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=str(zone),
        execution_fn=request,
        default_status=(
            DefaultScheduleStatus.RUNNING if settings.properties else DefaultScheduleStatus.STOPPED
        ),
        description="Pulls yesterday and the days that GA4 may still change, then publishes.",
    )


def _window(settings: Settings, now: datetime) -> DayWindow:
    """As `sluice nightly` plans it; while a run has the database, without a look at gaps."""
    try:
        return plan_window(settings, now=now)
    except WarehouseError:
        return nightly_window(newest_day(settings, now), settings.nightly.lookback_days)
