"""Writes what a pull brought: whole partitions, in one transaction, with their memory in `ops`.

Nothing of an older pull survives inside the window (re-attributed rows vanish at the source, an
upsert would keep them), and nothing outside of it is touched.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.ga4.client import Profile
from pipelines.ga4.pull import Pull
from pipelines.ga4.reports import ReportSpec
from pipelines.settings import Property, Settings
from pipelines.warehouse.schema import OPS_TABLES


def ensure_tables(connection: duckdb.DuckDBPyConnection, reports: tuple[ReportSpec, ...]) -> None:
    """Create the raw tables, and add the columns that a newer spec has.

    An optional report without an answer still has its (empty) table, so dbt can read it.
    """
    for spec in reports:
        body = ", ".join(f"{name} {kind}" for name, kind in spec.columns.items())
        connection.execute(f"create table if not exists raw.{spec.table} ({body})")
        for name, kind in spec.columns.items():
            bare = kind.removesuffix(" NOT NULL")
            connection.execute(
                f"alter table raw.{spec.table} add column if not exists {name} {bare}"
            )


def replace_partitions(connection: duckdb.DuckDBPyConnection, pull: Pull, *, run_id: str) -> int:
    """Replace every (property, report, date) of the pull's window; returns the rows written.

    One transaction: after a kill either all of the window is new, or none of it.
    """
    table, names = f"raw.{pull.spec.table}", ", ".join(pull.spec.columns)
    connection.execute("begin")
    try:
        connection.execute(
            f"delete from {table} where property_id = ? and date between ? and ?",
            [pull.property_id, pull.start, pull.end],
        )
        connection.register("pulled_rows", pull.rows)
        connection.execute(f"insert into {table} ({names}) select {names} from pulled_rows")
        connection.unregister("pulled_rows")
        _insert(connection, "pulls", _pull_rows(pull, run_id))
        _insert(connection, "quota", _quota_rows(pull))
        _insert(connection, "quarantine", _quarantine_rows(pull))
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise
    return int(pull.rows.num_rows)


def record_failure(
    connection: duckdb.DuckDBPyConnection,
    property_id: str,
    spec: ReportSpec,
    window: tuple[date, date],
    *,
    run_id: str,
    status: str,
    message: str,
) -> None:
    """Remember a pull that stored nothing: `held_back` (failed its audit) or `failed`."""
    rows = [
        {
            "run_id": run_id, "property_id": property_id, "report": spec.name,
            "report_version": spec.version, "date": day, "status": status, "message": message,
            "pulled_at": datetime.now(UTC),
        }
        for day in _days(*window)
    ]  # fmt: skip
    _insert(connection, "pulls", rows)


def remember_properties(
    connection: duckdb.DuckDBPyConnection, settings: Settings, profiles: tuple[Profile, ...]
) -> None:
    """Write who takes part in this run; other properties keep their data, but are not active."""
    by_id = {profile.property_id: profile for profile in profiles}
    rows = [_property_row(settings, item, by_id[item.id]) for item in settings.properties]
    connection.execute("begin")
    try:
        connection.execute("update ops.properties set is_active = false")
        for row in rows:
            marks = ", ".join("?" for _ in row)
            connection.execute(
                f"insert or replace into ops.properties ({', '.join(row)}) values ({marks})",
                list(row.values()),
            )
        connection.execute("commit")
    except BaseException:
        connection.execute("rollback")
        raise


def _property_row(settings: Settings, item: Property, profile: Profile) -> dict[str, Any]:
    return {
        "property_id": item.id,
        "name": item.name or item.id,
        "source": item.source,
        "time_zone": item.time_zone or profile.time_zone or "UTC",
        "currency": profile.currency or "",
        "store_name": settings.store.name,
        "industry": settings.store.industry,
        "is_active": True,
        "custom_dimensions": json.dumps(sorted(profile.custom_dimensions)),
        "checked_at": datetime.now(UTC),
    }


def _insert(connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, Any]]) -> None:
    if not rows:
        return
    columns = [name for name in OPS_TABLES[table] if name in rows[0]]
    names = ", ".join(columns)
    connection.register("ops_rows", pa.Table.from_pylist(rows))
    connection.execute(f"insert into ops.{table} ({names}) select {names} from ops_rows")
    connection.unregister("ops_rows")


def _pull_rows(pull: Pull, run_id: str) -> list[dict[str, Any]]:
    sums = [(metric.column, "sum") for metric in pull.spec.metrics]
    grouped = pull.rows.group_by("date").aggregate([([], "count_all"), *sums]).to_pylist()
    by_day = {row["date"]: row for row in grouped}
    common = {
        "pull_id": pull.pull_id, "run_id": run_id, "property_id": pull.property_id,
        "report": pull.spec.name, "report_version": pull.spec.version,
        "request_hash": pull.request_hash, "status": "loaded", "pages": pull.pages,
        "tokens": pull.tokens, "is_sampled": pull.flags.is_sampled,
        "is_thresholded": pull.flags.is_thresholded, "has_other_row": pull.flags.has_other_row,
        "other_share": pull.other_share, "empty_reason": pull.flags.empty_reason,
        "currency": pull.flags.currency, "time_zone": pull.flags.time_zone,
        "message": _skipped(pull), "pulled_at": pull.pulled_at,
    }  # fmt: skip
    return [
        {
            **common,
            "date": day,
            "row_count": by_day.get(day, {}).get("count_all", 0),
            "totals": json.dumps(
                {column: by_day.get(day, {}).get(f"{column}_sum") or 0 for column, _ in sums}
            ),
        }
        for day in _days(pull.start, pull.end)
    ]


def _skipped(pull: Pull) -> str:
    if not pull.skipped:
        return ""
    return (
        f"Not asked for: {', '.join(pull.skipped)}. Register their event parameters as custom "
        "dimensions in GA4 (Admin > Custom definitions)."
    )


def _quota_rows(pull: Pull) -> list[dict[str, Any]]:
    return [
        {
            "property_id": pull.property_id, "read_at": pull.pulled_at, "quota": name,
            "consumed": consumed, "remaining": remaining,
        }
        for name, (consumed, remaining) in pull.quota.items()
    ]  # fmt: skip


def _quarantine_rows(pull: Pull) -> list[dict[str, Any]]:
    return [
        {
            "pull_id": pull.pull_id, "property_id": pull.property_id, "report": pull.spec.name,
            "date_text": row["date"], "row_json": json.dumps(row),
            "reason": "the date cannot be read", "quarantined_at": pull.pulled_at,
        }
        for row in pull.quarantined.to_pylist()
    ]  # fmt: skip


def _days(start: date, end: date) -> list[date]:
    return [start + timedelta(days=offset) for offset in range((end - start).days + 1)]
