"""What tells that a run was asked to stop: as an exception, and as Dagster's event of it."""

from __future__ import annotations

import duckdb
from dagster import DagsterEvent, DagsterEventType
from dagster._core.errors import DagsterExecutionInterruptedError
from dagster._core.events import RunFailureReason
from dagster._core.execution.plan.objects import ErrorSource

# Ctrl-C and SIGTERM, as Python, Dagster and, in the middle of a query, DuckDB say it.
_INTERRUPTS = (KeyboardInterrupt, DagsterExecutionInterruptedError, duckdb.InterruptException)
# DuckDB's words for it where they come as a mere RuntimeError.
_QUERY_INTERRUPTED = "Query interrupted"


def is_interrupt(error: BaseException | None) -> bool:
    """Whether a step ended with this because it was asked to stop."""
    return isinstance(error, _INTERRUPTS) or str(error) == _QUERY_INTERRUPTED


def tells_interrupt(event: DagsterEvent) -> bool:
    """Whether a step, or the run between two steps, was asked to stop."""
    if event.is_step_failure:
        failure = event.step_failure_data
        words = failure.error.to_string() if failure.error else ""
        return failure.error_source is ErrorSource.INTERRUPT or _QUERY_INTERRUPTED in words
    if event.event_type is DagsterEventType.PIPELINE_FAILURE:
        reason = event.job_failure_data.failure_reason
        return reason is RunFailureReason.UNEXPECTED_TERMINATION
    return False
