"""Names and types of what the pipeline itself writes: schemas and the `ops` tables.

Raw tables take their columns from their `ReportSpec`; everything below is dbt's.
"""

from collections.abc import Mapping

import duckdb

_TIME = "TIMESTAMPTZ"

OPS_TABLES: dict[str, dict[str, str]] = {
    # One row per configured property: who it is, and whether it takes part.
    "properties": {
        "property_id": "VARCHAR PRIMARY KEY",
        "name": "VARCHAR",
        "source": "VARCHAR",
        # The property by which the same shop is read from the Data API.
        "same_shop_as": "VARCHAR",
        "time_zone": "VARCHAR",
        "currency": "VARCHAR",
        "store_name": "VARCHAR",
        "industry": "VARCHAR",
        "region": "VARCHAR",
        "is_active": "BOOLEAN",
        # Blocked by the run that is going on: its rows are left out of every model from there on.
        "is_blocked": "BOOLEAN",
        "custom_dimensions": "VARCHAR",
        "checked_at": _TIME,
    },
    # One row per pull × property × report × date, also for pulls that were held back.
    "pulls": {
        "pull_id": "VARCHAR",
        "run_id": "VARCHAR",
        "property_id": "VARCHAR",
        "report": "VARCHAR",
        "report_version": "INTEGER",
        "date": "DATE",
        # NULL for days; 7d, 28d, week or month for reports of a whole window that ends on date.
        "window_name": "VARCHAR",
        "request_hash": "VARCHAR",
        # data_api or export; NULL (of older versions) is data_api.
        "route": "VARCHAR",
        "status": "VARCHAR",
        "row_count": "BIGINT",
        "pages": "INTEGER",
        "tokens": "INTEGER",
        "totals": "VARCHAR",
        "is_sampled": "BOOLEAN",
        "is_thresholded": "BOOLEAN",
        "has_other_row": "BOOLEAN",
        "other_share": "DOUBLE",
        # Share of the first counted metric's own total that its rows lack, 0–1, the same for all
        # partitions of a pull; NULL where the server told no total, or scaled what it counted.
        "missing_share": "DOUBLE",
        # Keys or event parameters of the report that could not be asked for, separated by commas.
        "left_out": "VARCHAR",
        "empty_reason": "VARCHAR",
        "restricted_metrics": "VARCHAR",
        "truncation": "VARCHAR",
        "currency": "VARCHAR",
        "time_zone": "VARCHAR",
        "message": "VARCHAR",
        "pulled_at": _TIME,
    },
    # One row per day of an event export: what its files hold, and what of it cannot be counted.
    "export_days": {
        "property_id": "VARCHAR",
        "date": "DATE",
        "files": "INTEGER",
        "bytes": "BIGINT",
        "row_count": "BIGINT",
        # Consent was denied: no user, no session.
        "without_user": "BIGINT",
        "duplicates": "BIGINT",
        # Rows of another date, and rows without an event name or time.
        "other_days": "BIGINT",
        "unnamed": "BIGINT",
        # Counted as events, but of no session.
        "without_session": "BIGINT",
        "session_count": "BIGINT",
        # Sessions whose channel group nobody can tell.
        "without_channel": "BIGINT",
    },
    "quota": {
        "property_id": "VARCHAR",
        "read_at": _TIME,
        "quota": "VARCHAR",
        "consumed": "BIGINT",
        "remaining": "BIGINT",
    },
    # Rows of an answer that have no readable date.
    "quarantine": {
        "pull_id": "VARCHAR",
        "property_id": "VARCHAR",
        "report": "VARCHAR",
        "date_text": "VARCHAR",
        "row_json": "VARCHAR",
        "reason": "VARCHAR",
        "quarantined_at": _TIME,
    },
    # The shop's own tracking plan as of the last pull: whole rows in the columns of the seeds.
    "tracking_plan_overrides": {
        **dict.fromkeys(
            (
                "key",
                "stage",
                "family",
                "event_names",
                "parameter_filter",
                "parameters",
                "parent_key",
            ),
            "VARCHAR",
        ),
        "intent_rank": "INTEGER",
        "is_expected": "BOOLEAN",
        **dict.fromkeys(("origin", "benchmark_key", "description"), "VARCHAR"),
    },
    "not_applicable_keys": {"key": "VARCHAR"},
    "benchmark_overrides": {
        **dict.fromkeys(("benchmark_key", "industry", "device", "region"), "VARCHAR"),
        "low": "DOUBLE",
        "high": "DOUBLE",
        **dict.fromkeys(("unit", "numerator", "denominator", "source"), "VARCHAR"),
        **dict.fromkeys(("publisher", "sample", "period", "link"), "VARCHAR"),
        "source_date": "DATE",
        "source_kind": "VARCHAR",
        "is_default": "BOOLEAN",
    },
    "benchmark_figure_overrides": {
        **dict.fromkeys(("benchmark_key", "industry", "device", "region", "statistic"), "VARCHAR"),
        "value": "DOUBLE",
        **dict.fromkeys(("unit", "numerator", "denominator", "definition"), "VARCHAR"),
        **dict.fromkeys(("publisher", "sample", "period"), "VARCHAR"),
        "period_end": "DATE",
        **dict.fromkeys(("link", "read_from"), "VARCHAR"),
        "read_on": "DATE",
    },
    # What GA4 tells of a property and changed: its currency or its time zone.
    "property_changes": {
        "property_id": "VARCHAR",
        "field": "VARCHAR",
        "old": "VARCHAR",
        "new": "VARCHAR",
        "noticed_at": _TIME,
    },
    # Fields and custom dimensions that came or went.
    "field_changes": {
        "property_id": "VARCHAR",
        "kind": "VARCHAR",
        "api_name": "VARCHAR",
        "change": "VARCHAR",
        "noticed_at": _TIME,
    },
    # Whether GA4 calls a report's fields compatible; asked once a day.
    "field_checks": {
        "property_id": "VARCHAR",
        "report": "VARCHAR",
        "checked_on": "DATE",
        "is_ok": "BOOLEAN",
        "message": "VARCHAR",
    },
    "backfills": {
        "backfill_id": "VARCHAR PRIMARY KEY",
        "start_date": "DATE",
        "end_date": "DATE",
        "properties": "VARCHAR",
        "status": "VARCHAR",
        "planned_tokens": "BIGINT",
        "used_tokens": "BIGINT",
        "created_at": _TIME,
        "finished_at": _TIME,
    },
    # Properties that a run did not publish anew; readers keep their rows of the version before.
    "held_back": {
        "run_id": "VARCHAR",
        "property_id": "VARCHAR",
        "gate": "VARCHAR",
        "reason": "VARCHAR",
        "held_back_at": _TIME,
    },
    # What the webhook was told, or did not take (status sent or undelivered).
    "alerts": {
        "alert_key": "VARCHAR PRIMARY KEY",
        "night": "DATE",
        "run_id": "VARCHAR",
        "alert_class": "VARCHAR",
        "property_id": "VARCHAR",
        "message": "VARCHAR",
        "payload": "VARCHAR",
        "status": "VARCHAR",
        "reason": "VARCHAR",
        "tried_at": _TIME,
    },
    # Every published finding by the night that told it: what a later night knows of it.
    "findings": {
        "property_id": "VARCHAR",
        "window_end": "DATE",
        "finding_id": "VARCHAR",
        "step_key": "VARCHAR",
        "scope": "VARCHAR",
        "state": "VARCHAR",
        "first_seen": "DATE",
        "since_date": "DATE",
        "healed_date": "DATE",
    },
    "runs": {
        "run_id": "VARCHAR PRIMARY KEY",
        "command": "VARCHAR",
        "window_start": "DATE",
        "window_end": "DATE",
        "status": "VARCHAR",
        "message": "VARCHAR",
        "code_version": "VARCHAR",
        "started_at": _TIME,
        "finished_at": _TIME,
    },
    "gate_results": {
        "run_id": "VARCHAR",
        "gate": "VARCHAR",
        "property_id": "VARCHAR",
        "table_name": "VARCHAR",
        "expectation": "VARCHAR",
        "severity": "VARCHAR",
        "is_success": "BOOLEAN",
        "observed": "VARCHAR",
        "unexpected_count": "BIGINT",
        "sample": "VARCHAR",
        "checked_at": _TIME,
    },
    # What the raw gate last found doubtful of a report's day; `mark` says what that makes of the
    # day's numbers (missing_rows, low_volume), NULL that it only warns.
    "day_warnings": {
        "property_id": "VARCHAR",
        "report": "VARCHAR",
        "date": "DATE",
        "expectation": "VARCHAR",
        "mark": "VARCHAR",
        "observed": "VARCHAR",
        "checked_at": _TIME,
    },
}


def make_tables(
    connection: duckdb.DuckDBPyConnection, schema: str, tables: Mapping[str, Mapping[str, str]]
) -> None:
    """Create a schema's tables (name → column → type), and the columns that older ones lack."""
    there: dict[str, set[str]] = {}
    for table, column in connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = ?", [schema]
    ).fetchall():
        there.setdefault(table, set()).add(column)
    connection.execute(f"create schema if not exists {schema}")
    for table, columns in tables.items():
        if table not in there:
            body = ", ".join(f"{name} {kind}" for name, kind in columns.items())
            connection.execute(f"create table {schema}.{table} ({body})")
        for name, kind in columns.items():
            if name not in there.get(table, columns):
                bare = kind.removesuffix(" PRIMARY KEY").removesuffix(" NOT NULL")
                connection.execute(f"alter table {schema}.{table} add column {name} {bare}")
