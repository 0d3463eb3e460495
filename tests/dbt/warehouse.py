"""A hand-made warehouse: the raw and ops tables of the contract, filled from a few counts.

What belongs here: building the input. The numbers that come out are worked out in the tests.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import chain
from pathlib import Path

import duckdb
import pyarrow as pa
from dbt.adapters.duckdb.connections import DuckDBConnectionManager

from pipelines.config.tracking_plan import load_plan
from pipelines.ga4.report_catalog import build_reports
from pipelines.sources.configured import TABLES
from pipelines.warehouse.fetches import ensure_source_tables
from pipelines.warehouse.load import ensure_tables
from pipelines.warehouse.schema import OPS_TABLES
from tests.support.checked_warehouse import SEGMENTS as SEGMENT_COLUMNS

FAMILIES = ("sessions", "events", "micro")
REPORTS = [
    *(f"{family}_by_{segment}" for family in FAMILIES for segment in SEGMENT_COLUMNS),
    *("items", "pages", "page_events", "page_micro", "item_lists", "event_params", "funnel"),
    *("cells", "cells_country"),
]


@dataclass(frozen=True)
class Day:
    """What one segment value of one property did on one date: sessions, and sessions per event.

    `revenue` None: these credentials may not see it. `sessionless`: further events without a
    session id, each `purchase` of them an order.
    """

    sessions: int
    events: dict[str, int] = field(default_factory=dict)
    micro: dict[str, int] = field(default_factory=dict)
    revenue: float | None = 0.0
    sessionless: dict[str, int] = field(default_factory=dict)


class Warehouse:
    """One build database on disk; every call opens and closes it, as the pipeline does."""

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists():
            return
        with duckdb.connect(str(path)) as connection:
            connection.execute("create schema raw; create schema ops")
            for name, columns in OPS_TABLES.items():
                body = ", ".join(f"{column} {kind}" for column, kind in columns.items())
                connection.execute(f"create table ops.{name} ({body})")
            ensure_tables(connection, build_reports(load_plan()))
            ensure_source_tables(connection, chain(*TABLES.values()))

    def query(self, sql: str, values: Iterable[object] = ()) -> list[tuple]:
        with duckdb.connect(str(self.path)) as connection:
            return connection.execute(sql, list(values)).fetchall()

    @contextmanager
    def opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The database, opened as dbt has it open; calls in here need not open it anew (20 ms)."""
        with duckdb.connect(str(self.path)) as connection:
            yield connection

    def close(self) -> None:
        """Let dbt's connections go: all is in the file then."""
        DuckDBConnectionManager.close_all_connections()

    def copied_to(self, folder: Path) -> "Warehouse":
        """Another one with the same content; of the same name, as the manifest names it."""
        self.close()
        return Warehouse(Path(shutil.copy(self.path, folder)))

    @contextmanager
    def undone(self, *statements: str) -> Iterator[None]:
        """Change something for a while; afterwards the database is what it was."""
        kept = self.path.with_suffix(".kept")
        self.close()
        shutil.copyfile(self.path, kept)
        try:
            for statement in statements:
                ((changed,),) = self.query(statement)
                assert changed > 0, f"nothing was changed by: {statement}"
            yield
        finally:
            self.close()
            self.path.with_suffix(".duckdb.wal").unlink(missing_ok=True)
            kept.replace(self.path)

    def add_property(self, property_id: str, time_zone: str, currency: str = "EUR") -> None:
        self.query(
            "insert into ops.properties (property_id, name, source, time_zone, currency, "
            "store_name, industry, is_active, custom_dimensions) "
            "values (?, 'Shop ' || ?, 'data_api', ?, ?, 'Shop', null, true, '[]')",
            [property_id, property_id, time_zone, currency],
        )

    def load(
        self,
        property_id: str,
        days: dict[date, dict[tuple[str, str], Day]],
        pulled_at: datetime | None = None,
    ) -> None:
        """Replace every report of the dates."""
        at = {day: pulled_at or _next_morning(day) for day in days}
        with duckdb.connect(str(self.path)) as connection:
            connection.execute("begin")
            for report in REPORTS:
                connection.execute(
                    f"delete from raw.ga4_{report} where property_id = ? and date in ?",
                    [property_id, list(days)],
                )
            for table, rows in _rows(property_id, days, at).items():
                _insert(connection, table, rows)
            _insert_pulls(connection, property_id, days, at)
            connection.execute("commit")

    def append(self, table: str, rows: pa.Table) -> None:
        """Add many rows to a table at once; columns that they lack stay NULL."""
        with duckdb.connect(str(self.path)) as connection:
            connection.register("new_rows", rows)
            at = "timestamptz '2026-04-01 05:30:00+00' as pulled_at, 'pull' as pull_id"
            connection.execute(f"insert into {table} by name select *, {at} from new_rows")

    def flag(self, property_id: str, day: date, report: str, setting: str) -> None:
        """Change what the pulls of a date and report (a LIKE pattern) say: `column = value`."""
        self.query(
            f"update ops.pulls set {setting} where property_id = ? and date = ? and report like ?",
            [property_id, day, report],
        )


def _next_morning(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 5, 30, tzinfo=UTC) + timedelta(days=1)


Cells = dict[tuple[str, str], Day]


def _rows(
    property_id: str, days: dict[date, Cells], at: dict[date, datetime]
) -> dict[str, list[dict[str, object]]]:
    """Raw table → its rows, of all days and segment values."""
    found: dict[str, list[dict[str, object]]] = {}
    for day, cells in days.items():
        own = {
            "property_id": property_id,
            "date": day,
            "pulled_at": at[day],
            "pull_id": f"pull-{at[day].isoformat()}",
        }
        for (segment, value), cell in cells.items():
            column = SEGMENT_COLUMNS[segment]
            common = {**own, column: value} if column else own
            for family, counts in _counts(cell):
                found.setdefault(f"raw.ga4_{family}_by_{segment}", []).append({**common, **counts})
    return found


def _counts(cell: Day) -> Iterator[tuple[str, dict[str, object]]]:
    """Family of reports, and the counts of a row of it."""
    orders = cell.events.get("purchase", 0) + cell.sessionless.get("purchase", 0)
    if cell.sessions or orders:
        own = {"sessions": cell.sessions, "transactions": orders, "purchase_revenue": cell.revenue}
        yield "sessions", own
    for family, name, counts, extra in (
        ("events", "event_name", cell.events, cell.sessionless),
        ("micro", "micro_key", cell.micro, {}),
    ):
        for key, count, without in _with_sessionless(counts, extra):
            yield family, {name: key, "event_count": 2 * count + without, "sessions": count}


def _insert(
    connection: duckdb.DuckDBPyConnection, table: str, rows: list[dict[str, object]]
) -> None:
    new_rows = pa.Table.from_pylist(rows)
    connection.register("new_rows", new_rows)
    connection.execute(f"insert into {table} by name from new_rows")
    connection.unregister("new_rows")


def _with_sessionless(
    counts: dict[str, int], sessionless: dict[str, int]
) -> list[tuple[str, int, int]]:
    """Event, sessions with it, events without a session."""
    names = dict.fromkeys([*counts, *sessionless])
    return [(name, counts.get(name, 0), sessionless.get(name, 0)) for name in names]


def _insert_pulls(
    connection: duckdb.DuckDBPyConnection,
    property_id: str,
    days: dict[date, Cells],
    at: dict[date, datetime],
) -> None:
    """One loaded pull per report; its total is the day's sessions, so that a change shows."""
    totals = {day: sum(cell.sessions for cell in cells.values()) for day, cells in days.items()}
    pulls = [
        {
            "pull_id": f"pull-{at[day].isoformat()}", "property_id": property_id, "report": report,
            "report_version": 1, "date": day, "status": "loaded", "row_count": 1,
            "totals": f'{{"sessions": {total}, "seconds": {total}.1}}', "currency": "EUR",
            "time_zone": "Europe/Berlin", "pulled_at": at[day],
        }
        for day, total in totals.items()
        for report in REPORTS
    ]  # fmt: skip
    _insert(connection, "ops.pulls", pulls)
