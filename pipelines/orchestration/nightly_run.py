"""One run of the nightly job from the command line: the same job as the schedule's.

Tells its progress step by step, and ends in a `RunRecord` that says how it went.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from dagster import DagsterEventType, EventLogEntry, ExecuteInProcessResult

from pipelines.config.settings import Settings
from pipelines.errors import SluiceError
from pipelines.ingest.day_window import DayWindow
from pipelines.monitoring.home_lock import MAX_BACKFILL_HOURS, hold_lock, lock_path
from pipelines.orchestration.build import build_defs
from pipelines.orchestration.dagster_home import open_instance
from pipelines.orchestration.dbt_cli import stop_dbt
from pipelines.orchestration.interrupts import tells_interrupt
from pipelines.orchestration.jobs import NIGHTLY, describe_failure
from pipelines.orchestration.partitions import BACKFILL_TAG, COMMAND_TAG
from pipelines.warehouse.runs import RunRecord, read_run
from pipelines.warehouse.statuses import RunStatus

logger = logging.getLogger("sluice")
# Our own lines tell the progress; Dagster's go to its event store and to the run's log file.
_RUN_CONFIG = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
STEP_NAMES = {
    "raw_sources": "fetch second sources",
    "raw_ga4": "pull GA4",
    "gate_raw": "gate: raw",
    "dbt_staging": "build staging",
    "gate_staging": "gate: staging",
    "dbt_intermediate": "build intermediate",
    "gate_intermediate": "gate: intermediate",
    "dbt_marts": "build marts",
    "gate_marts": "gate: marts",
    "published__report": "make the page",
    "published__version": "publish",
}


@dataclass(frozen=True)
class Step:
    """A step that ended: its name for people, whether it went well, and its seconds."""

    name: str
    is_success: bool
    seconds: float


def run_nightly(
    settings: Settings,
    window: DayWindow,
    *,
    command: str,
    on_step: Callable[[Step], None] = lambda step: None,
    resources: Mapping[str, Any] | None = None,
    backfill_id: str | None = None,
) -> RunRecord:
    """Run the nightly job over `window` in this process; `resources` go to `build_defs`.

    With a `backfill_id` the run waits for quota, and goes on where an earlier run of the same
    backfill was.

    Raises SluiceError only for what stops it before it starts; after that the record tells.
    """
    hours = MAX_BACKFILL_HOURS if backfill_id else settings.nightly.max_hours
    # To the end of it, so that what is read of the run is not another run's doing.
    with hold_lock(lock_path(settings), hours):
        job = build_defs(settings, resources).resolve_job_def(NIGHTLY)
        run_id = str(uuid4())
        with open_instance(settings) as instance:
            instance.add_event_listener(run_id, _Progress(on_step))
            tags = {**window.tags(), COMMAND_TAG: command}
            if backfill_id:
                tags[BACKFILL_TAG] = backfill_id
            try:
                result = job.execute_in_process(
                    instance=instance,
                    run_id=run_id,
                    tags=tags,
                    raise_on_error=False,
                    run_config=_RUN_CONFIG,
                )
            finally:
                # Where Dagster itself breaks off (its memory cannot be written), dbt goes on.
                stop_dbt()
        if any(map(tells_interrupt, result.all_events)):
            # Nothing is opened any more: after an interrupted query DuckDB may wait for ever for
            # the end of its old instance. The record stays "running", which status calls stopped.
            raise KeyboardInterrupt
        return _record(settings, run_id, result)


class _Progress:
    """Turns Dagster's step events into our steps."""

    def __init__(self, on_step: Callable[[Step], None]) -> None:
        self._on_step = on_step
        self._started: dict[str, float] = {}

    def __call__(self, entry: EventLogEntry) -> None:
        event = entry.dagster_event
        if event is None or event.step_key is None:
            return
        if event.event_type is DagsterEventType.STEP_START:
            self._started[event.step_key] = entry.timestamp
        if event.event_type in {DagsterEventType.STEP_SUCCESS, DagsterEventType.STEP_FAILURE}:
            seconds = entry.timestamp - self._started.get(event.step_key, entry.timestamp)
            name = STEP_NAMES.get(event.step_key, event.step_key)
            step = Step(name, event.event_type is DagsterEventType.STEP_SUCCESS, seconds)
            try:
                self._on_step(step)
            except Exception:
                # A display that fails (a closed terminal) stops no run.
                logger.exception("The end of the step %s could not be told.", name)


def _record(settings: Settings, run_id: str, result: ExecuteInProcessResult) -> RunRecord:
    """What the run wrote about itself; where it could not write, what Dagster saw."""
    try:
        record = read_run(settings.build_db, run_id)
    except SluiceError:
        record = None
    if record is None or record.status is RunStatus.RUNNING:
        status = RunStatus.PUBLISHED if result.success else RunStatus.FAILED
        record = RunRecord(run_id, status, _first_error(result))
    return record


def _first_error(result: ExecuteInProcessResult) -> str:
    for event in result.all_events:
        if event.event_type is DagsterEventType.STEP_FAILURE:
            error = event.step_failure_data.error
            cause = error.cause if error and error.cause else error
            words = cause.message if cause else ""
            return describe_failure(event.step_key or "", RuntimeError(words))[1]
    return ""
