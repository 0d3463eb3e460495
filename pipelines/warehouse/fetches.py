"""Writes what second sources bring: whole partitions in one transaction, with a row of
`ops.fetches` for each fetch and each failure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import uuid4

import duckdb

from pipelines.ingest.day_window import DayWindow
from pipelines.sources.contract import Fetched, Source, SourceTable
from pipelines.warehouse.newest_fetches import NEWEST_FETCHES
from pipelines.warehouse.ops import insert_rows
from pipelines.warehouse.partitions import delete_rows
from pipelines.warehouse.schema import make_tables
from pipelines.warehouse.statuses import PullStatus
from pipelines.warehouse.transactions import transaction


def ensure_source_tables(
    connection: duckdb.DuckDBPyConnection, tables: Iterable[SourceTable]
) -> None:
    """Create the raw tables, empty, and the columns that a newer version has."""
    make_tables(connection, "raw", {table.name: table.all_columns for table in tables})


def replace_fetched(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    fetched: Fetched,
    window: DayWindow,
    *,
    run_id: str,
    now: datetime,
) -> None:
    """Replace the partitions of an audited fetch, and remember it; after a kill all or nothing."""
    table, fetch_id = f"raw.{fetched.table.name}", uuid4().hex
    names = ", ".join(fetched.table.columns)
    with transaction(connection):
        for parts in fetched.replaces:
            delete_rows(connection, table, source.property_id, parts)
        connection.register("fetched_rows", fetched.rows)
        connection.execute(
            f"insert into {table} (property_id, fetch_id, fetched_at, {names}) "
            f"select ?, ?, ?, {names} from fetched_rows",
            [source.property_id, fetch_id, now],
        )
        connection.unregister("fetched_rows")
        _remember(
            connection, source, fetched.table, window, run_id, now, fetch_id=fetch_id,
            status=PullStatus.LOADED, row_count=fetched.rows.num_rows, requests=fetched.requests,
            time_zone=fetched.time_zone, currency=fetched.currency,
            message=" ".join(fetched.notes),
        )  # fmt: skip


def record_failed_fetch(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    table: SourceTable,
    window: DayWindow,
    *,
    run_id: str,
    status: PullStatus,
    message: str,
    now: datetime,
) -> None:
    """Remember a fetch that stored nothing, and why."""
    _remember(
        connection, source, table, window, run_id, now, fetch_id=uuid4().hex, status=status,
        row_count=0, requests=0, message=message,
    )  # fmt: skip


def leave_out_unnamed(
    connection: duckdb.DuckDBPyConnection,
    named: Collection[tuple[str, str]],
    *,
    run_id: str,
    now: datetime,
) -> None:
    """Remember of second sources that sluice.yml does not name any more that nobody asks them.

    `named`: (source, property) of those that it names.
    """
    connection.execute(
        f"""
        insert into ops.fetches by name
        select * exclude (is_left_out, problem, loaded_at) replace (
            gen_random_uuid()::varchar as fetch_id, $run_id as run_id, $now as fetched_at,
            '{PullStatus.LEFT_OUT}' as status, 0 as row_count, 0 as requests, '' as message
        )
        from {NEWEST_FETCHES}
        where not is_left_out and source || ' ' || property_id not in (select unnest($named))
        """,
        {"run_id": run_id, "now": now, "named": [" ".join(pair) for pair in named]},
    )


def _remember(
    connection: duckdb.DuckDBPyConnection,
    source: Source,
    table: SourceTable,
    window: DayWindow,
    run_id: str,
    now: datetime,
    **told: object,
) -> None:
    row = {
        "run_id": run_id, "property_id": source.property_id, "source": source.name,
        "account": source.account, "table_name": table.name, "start_date": window.start,
        "end_date": window.end, "fetched_at": now, **told,
    }  # fmt: skip
    insert_rows(connection, "fetches", [row])
