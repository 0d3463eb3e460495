"""Reads the status of a home for `sluice status`: runs, gates, freshness, quota, versions."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from pipelines.clock import PinnedClock
from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.monitoring.health import Health, assess_health
from pipelines.monitoring.home_lock import is_running, lock_path
from pipelines.publishing.versions import current_name, list_versions
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.statuses import RunStatus

_RUNS = """
    select left(run_id, 8) as run_id, command, window_start, window_end, status, message,
        date_trunc('second', started_at) as started_at,
        date_trunc('second', finished_at) as finished_at
    from ops.runs order by runs.started_at desc limit 5
"""
_GATES = """
    select gate, count(*) as expectations,
        count_if(not is_success and severity = 'critical') as critical,
        count_if(not is_success and severity = 'warning') as warnings
    from ops.gate_results
    where run_id = (select run_id from ops.runs order by started_at desc limit 1)
    group by gate order by min(checked_at)
"""
# What held the last run back: critical expectations that failed.
_FAILURES = """
    select gate, property_id, table_name, expectation, observed, sample
    from ops.gate_results
    where run_id = (select run_id from ops.runs order by started_at desc limit 1)
        and severity = 'critical' and not is_success
    order by all limit 10
"""
# What it found and published all the same, with up to five of the days; those that every pull of
# the report tells of itself come last.
_WARNINGS = """
    select gate, property_id, table_name, expectation, observed,
        array_to_string(
            list_transform(from_json(sample, '["json"]'), lambda key: key ->> '$.date'), ', '
        ) as days
    from ops.gate_results
    where run_id = (select run_id from ops.runs order by started_at desc limit 1)
        and severity = 'warning' and not is_success
    order by expectation like 'is_not_%', checked_at, property_id, table_name, expectation
    limit 20
"""
_FRESHNESS = """
    select property_id, max(date) as newest_day,
        min(date) filter (where maturity = 'provisional') as provisional_since,
        count(distinct date) filter (where maturity = 'provisional') as provisional_days,
        count(distinct date) filter (where not is_complete) as incomplete_days
    from marts.fct_data_completeness group by property_id order by property_id
"""
_QUOTA = """
    select property_id, quota, consumed as consumed_by_request, remaining,
        date_trunc('second', read_at) as read_at
    from ops.quota
    qualify row_number() over (partition by property_id, quota order by read_at desc) = 1
    order by all
"""
_MEMORY = (_RUNS, _GATES, _FAILURES, _WARNINGS, _QUOTA)


@dataclass(frozen=True)
class HomeStatus:
    """Everything `sluice status` shows; lists of rows, newest first where it matters.

    `now`: by the home's clock, which `is_pinned` in a demo's home.
    """

    state: Health
    verdict: str
    exit_code: int
    is_running: bool
    current_version: str | None
    newest_version: str | None
    now: datetime
    is_pinned: bool
    runs: list[dict[str, Any]] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    freshness: list[dict[str, Any]] = field(default_factory=list)
    quota: list[dict[str, Any]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_status(settings: Settings) -> HomeStatus:
    """Read the build database's memory; while a run holds it, the published copy of it."""
    running = is_running(lock_path(settings))
    version = current_name(settings.published_dir)
    versions = list_versions(settings.published_dir)
    newest = versions[-1].name if versions else None
    runs, gates, failures, warnings, quota = _memory(settings, running)
    freshness: list[dict[str, Any]] = []
    if version is not None:
        with published_database(settings.published_dir) as connection:
            freshness = _rows(connection, _FRESHNESS)
    for run in runs:
        run["status"] = RunStatus(run["status"])
        if run["status"] is RunStatus.RUNNING and not running:
            run["status"] = RunStatus.INTERRUPTED
    clock = settings.clock
    now = clock.now().replace(microsecond=0)
    verdict = assess_health(running, version, newest, runs, freshness, now.date())
    return HomeStatus(
        verdict.state, verdict.text, verdict.state.exit_code, running, version, newest,
        now, isinstance(clock, PinnedClock),
        runs, gates, failures, warnings, freshness, quota,
    )  # fmt: skip


def _memory(settings: Settings, running: bool) -> tuple[list[dict[str, Any]], ...]:
    # Not beside a run: DuckDB would refuse the run's next step while we read.
    if not running and settings.build_db.exists():
        with suppress(WarehouseError), build_database(settings.build_db, read_only=True) as build:
            return tuple(_rows(build, query) for query in _MEMORY)
    if current_name(settings.published_dir) is None:
        return tuple([] for _ in _MEMORY)
    with published_database(settings.published_dir) as connection:
        return tuple(_rows(connection, query) for query in _MEMORY)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    result = connection.execute(query)
    names = [column[0] for column in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]
