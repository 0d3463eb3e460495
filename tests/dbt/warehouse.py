"""A hand-made warehouse: the raw and ops tables of the contract, filled from a few counts.

What belongs here: building the input. The numbers that come out are worked out in the tests.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb

from pipelines.warehouse.schema import OPS_TABLES

SEGMENT_COLUMNS = {
    "all": None,
    "device": "device_category",
    "channel": "session_default_channel_group",
    "country": "country",
    "visitor": "new_vs_returning",
}
METRICS = {
    "sessions": (
        "sessions BIGINT, engaged_sessions BIGINT, screen_page_views BIGINT, "
        "user_engagement_duration DOUBLE, transactions BIGINT, purchase_revenue DOUBLE"
    ),
    "events": "event_name VARCHAR, event_count BIGINT, sessions BIGINT",
    "micro": "micro_key VARCHAR, event_count BIGINT, sessions BIGINT",
}
ITEM_COLUMNS = (
    "item_id VARCHAR, item_name VARCHAR, items_viewed BIGINT, items_added_to_cart BIGINT, "
    "items_checked_out BIGINT, items_purchased BIGINT, item_revenue DOUBLE"
)
COMMON = "property_id VARCHAR, date DATE, pulled_at TIMESTAMPTZ, pull_id VARCHAR"
REPORTS = [f"{kind}_by_{segment}" for kind in METRICS for segment in SEGMENT_COLUMNS] + ["items"]


@dataclass(frozen=True)
class Day:
    """What one segment value of one property did on one date: sessions, and sessions per event."""

    sessions: int
    events: dict[str, int] = field(default_factory=dict)
    micro: dict[str, int] = field(default_factory=dict)
    revenue: float = 0.0


class Warehouse:
    """One build database on disk; every call opens and closes it, as the pipeline does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema raw; create schema ops")
            for name, columns in OPS_TABLES.items():
                body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
                connection.execute(f"create table ops.{name} ({body})")
            for kind, metrics in METRICS.items():
                for segment, column in SEGMENT_COLUMNS.items():
                    extra = f"{column} VARCHAR, " if column else ""
                    connection.execute(
                        f"create table raw.ga4_{kind}_by_{segment} ({COMMON}, {extra}{metrics})"
                    )
            connection.execute(f"create table raw.ga4_items ({COMMON}, {ITEM_COLUMNS})")

    def query(self, sql: str, values: Iterable[object] = ()) -> list[tuple]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(sql, list(values)).fetchall()

    def add_property(self, property_id: str, time_zone: str) -> None:
        self.query(
            "insert into ops.properties (property_id, name, source, time_zone, currency, "
            "store_name, industry, is_active, custom_dimensions) "
            "values (?, 'Shop ' || ?, 'data_api', ?, 'EUR', 'Shop', null, true, '[]')",
            [property_id, property_id, time_zone],
        )

    def load(
        self,
        property_id: str,
        days: dict[date, dict[tuple[str, str], Day]],
        pulled_at: datetime | None = None,
        flags: str = "",
    ) -> None:
        """Load every report of the dates; `flags` names a column of ops.pulls to set."""
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("begin")
            for day, cells in days.items():
                at = pulled_at or _next_morning(day)
                for (segment, value), cell in cells.items():
                    _insert_cell(connection, property_id, day, segment, value, cell, at)
                _insert_pulls(connection, property_id, day, at, flags)
            connection.execute("commit")


def _next_morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 5, 30, tzinfo=UTC) + timedelta(days=1)


def _insert_cell(
    connection: duckdb.DuckDBPyConnection,
    property_id: str,
    day: date,
    segment: str,
    value: str,
    cell: Day,
    at: datetime,
) -> None:
    common: list[object] = [property_id, day, at, f"pull-{day}"]
    if SEGMENT_COLUMNS[segment]:
        common.append(value)
    rows: list[tuple[str, list[object]]] = []
    if cell.sessions:
        metrics: list[object] = [cell.sessions, 0, 0, 0.0, cell.events.get("purchase", 0)]
        rows.append(("sessions", [*metrics, cell.revenue]))
    for kind, counts in (("events", cell.events), ("micro", cell.micro)):
        rows += [(kind, [name, 2 * count, count]) for name, count in counts.items()]
    for kind, values in rows:
        row = common + values
        marks = ", ".join("?" * len(row))
        connection.execute(f"insert into raw.ga4_{kind}_by_{segment} values ({marks})", row)


def _insert_pulls(
    connection: duckdb.DuckDBPyConnection, property_id: str, day: date, at: datetime, flags: str
) -> None:
    columns = "pull_id, property_id, report, report_version, date, status, row_count, totals"
    connection.execute(
        f"insert into ops.pulls ({columns}, pulled_at{', ' + flags if flags else ''}) "
        f"select ?, ?, unnest(?), 1, ?, 'loaded', 1, '{{}}', ?{', true' if flags else ''}",
        [f"pull-{at.isoformat()}", property_id, REPORTS, day, at],
    )
