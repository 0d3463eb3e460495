"""Reads the status of a home for `sluice status`: runs, gates, freshness, quota, versions."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

import duckdb

from pipelines.clock import PinnedClock
from pipelines.config.settings import Settings
from pipelines.errors import WarehouseError
from pipelines.monitoring.health import Health, assess_fault, assess_health
from pipelines.monitoring.home_lock import lock_path, no_run
from pipelines.monitoring.lost_days import lost_days
from pipelines.publishing.verdict import headlines
from pipelines.publishing.versions import current_name, find_versions
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.newest_fetches import NEWEST_FETCHES
from pipelines.warehouse.rows import rows_of
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
        min(date) filter (where maturity = 'provisional' and is_loaded) as provisional_since,
        count(distinct date) filter (where maturity = 'provisional' and is_loaded)
            as provisional_days,
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
# What was met at second sources last, a sentence once; those that brought nothing first.
_SOURCES = f"""
    select source, property_id, status, message, list_sort(list(table_name)) as tables
    from {NEWEST_FETCHES}
    where message <> '' and not is_left_out
    group by source, property_id, status, message
    order by status = 'loaded', source, property_id, message
"""
_MEMORY = (_RUNS, _GATES, _FAILURES, _WARNINGS, _QUOTA, _SOURCES)


@dataclass(frozen=True)
class HomeStatus:
    """Everything `sluice status` shows; lists of rows, newest first where it matters.

    `now`: by the home's clock, which `is_pinned` in a demo's home. `findings`: what readers see
    was found, a line a property.
    """

    state: Health
    verdict: str
    exit_code: int
    is_running: bool
    current_version: str | None
    newest_version: str | None
    now: datetime
    is_pinned: bool
    findings: list[str] = field(default_factory=list)
    runs: list[dict[str, Any]] = field(default_factory=list)
    gates: list[dict[str, Any]] = field(default_factory=list)
    failures: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[dict[str, Any]] = field(default_factory=list)
    freshness: list[dict[str, Any]] = field(default_factory=list)
    quota: list[dict[str, Any]] = field(default_factory=list)
    sources: list[dict[str, Any]] = field(default_factory=list)
    damaged_versions: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def read_status(settings: Settings) -> HomeStatus:
    """Read the build database's memory; while a run holds it, the published copy of it.

    What cannot be read is part of the status: `state` is then failed, and `verdict` says what.
    """
    version = current_name(settings.published_dir)
    versions, damaged = find_versions(settings.published_dir)
    newest = versions[-1].name if versions else None
    with no_run(lock_path(settings)) as is_idle:
        memory, fault = _memory(settings, is_idle)
        fault = fault or (lost_days(settings) if is_idle else "")
    runs, gates, failures, warnings, quota, sources = memory
    freshness, unreadable = _published(settings, (_FRESHNESS,))
    if version in damaged:
        unreadable = f"version {version} is damaged ({damaged[version]})"
    for run in runs:
        run["status"] = RunStatus(run["status"])
        if run["status"] is RunStatus.RUNNING and is_idle:
            run["status"] = RunStatus.INTERRUPTED
    clock = settings.clock
    now = clock.now().replace(microsecond=0)
    verdict = (
        assess_fault(fault, unreadable, version)
        if fault or unreadable
        else assess_health(not is_idle, version, newest, runs, failures, freshness[0], now.date())
    )
    return HomeStatus(
        verdict.state, verdict.text, verdict.state.exit_code, not is_idle, version, newest,
        now, isinstance(clock, PinnedClock), [] if unreadable else _findings(settings),
        runs, gates, failures, warnings, freshness[0], quota, sources, damaged,
    )  # fmt: skip


_Memory = tuple[list[dict[str, Any]], ...]


def _memory(settings: Settings, is_idle: bool) -> tuple[_Memory, str]:
    """What is remembered, and why the build database, which knows best, cannot be read."""
    fault = ""
    # Not beside a run: it has the database open.
    if is_idle and settings.build_db.exists():
        try:
            with build_database(settings.build_db, read_only=True) as build:
                return _answers(build, _MEMORY), ""
        except (WarehouseError, duckdb.Error) as error:
            fault = str(error).splitlines()[0]
    return _published(settings, _MEMORY)[0], fault


def _published(settings: Settings, queries: Sequence[str]) -> tuple[_Memory, str]:
    """The same of the published database; no rows, and why, where it cannot be read."""
    nothing: _Memory = tuple([] for _ in queries)
    if current_name(settings.published_dir) is None:
        return nothing, ""
    try:
        with published_database(settings.published_dir) as connection:
            return _answers(connection, queries), ""
    except (WarehouseError, duckdb.Error) as error:
        return nothing, str(error).splitlines()[0]


def _findings(settings: Settings) -> list[str]:
    """What readers see was found; nothing of a version that older code made without findings."""
    with (
        suppress(WarehouseError, duckdb.Error),
        published_database(settings.published_dir) as connection,
    ):
        return headlines(connection)
    return []


def _answers(connection: duckdb.DuckDBPyConnection, queries: Sequence[str]) -> _Memory:
    return tuple(_rows(connection, query) for query in queries)


def _rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    try:
        return rows_of(connection, query)
    except duckdb.CatalogException:
        # A home that no night of this code has opened yet has no second sources.
        if query is _SOURCES:
            return []
        raise
