"""When the nightly job starts by itself."""

from __future__ import annotations

from dagster import (
    DefaultScheduleStatus,
    RunRequest,
    ScheduleDefinition,
    ScheduleEvaluationContext,
)
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from pipelines.partitions import nightly_window, yesterday
from pipelines.settings import Settings


def build_nightly_schedule(
    settings: Settings, job: UnresolvedAssetJobDefinition
) -> ScheduleDefinition:
    """Every night at `nightly.at` in the property's time zone, over the lookback window."""
    hour, minute = settings.nightly.at.split(":")
    zone = settings.time_zone

    def request(context: ScheduleEvaluationContext) -> RunRequest:
        last_day = yesterday(zone, context.scheduled_execution_time)
        window = nightly_window(last_day, settings.nightly.lookback_days)
        return RunRequest(
            run_key=str(last_day), tags={**window.tags(), "sluice/command": "schedule"}
        )

    return ScheduleDefinition(
        name="nightly",
        job=job,
        cron_schedule=f"{int(minute)} {int(hour)} * * *",
        execution_timezone=str(zone),
        execution_fn=request,
        default_status=DefaultScheduleStatus.RUNNING,
        description="Pulls yesterday and the days that GA4 may still change, then publishes.",
    )
