"""Fetches all second sources of a run. One that fails is said and recorded, and nothing more."""

from __future__ import annotations

import logging
from collections.abc import Sequence

import duckdb

from pipelines.clock import Clock
from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import (
    Source,
    SourceAuditError,
    SourceError,
    as_source_error,
    audit,
    with_history,
)
from pipelines.warehouse.fetches import record_failed_fetch, replace_fetched
from pipelines.warehouse.statuses import PullStatus

logger = logging.getLogger("sluice")


def fetch_all(
    connection: duckdb.DuckDBPyConnection,
    sources: Sequence[Source],
    window: DayWindow,
    *,
    run_id: str,
    clock: Clock,
) -> dict[str, str]:
    """Fetch and store every table of every source; raw table → why some property lacks it."""
    problems: dict[str, str] = {}
    days = with_history(window)
    for source in sources:
        general: SourceError | None = None
        for table in source.tables:
            try:
                if general:
                    raise general
                fetched = audit(source.fetch(table, days))
                replace_fetched(connection, source, fetched, days, run_id=run_id, now=clock.now())
            except Exception as error:
                # Whatever it is, also a fault of ours: GA4's night goes on.
                problem = as_source_error(error, f"{table.name} of {source.account}")
                if problem is not general:
                    logger.warning("%s", problem)
                general = problem if problem.is_general else None
                problems[table.name] = str(problem)
                record_failed_fetch(
                    connection, source, table, days, run_id=run_id, now=clock.now(),
                    status=_status_of(problem), message=str(problem),
                )  # fmt: skip
    return problems


def _status_of(problem: SourceError) -> PullStatus:
    return PullStatus.HELD_BACK if isinstance(problem, SourceAuditError) else PullStatus.FAILED
