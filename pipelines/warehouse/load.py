"""Writes what a pull brought: whole partitions, in one transaction, with their memory in `ops`.

Nothing of an older pull survives inside the partitions (re-attributed rows vanish at the source,
an upsert would keep them), and nothing outside of them is touched.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import duckdb
import pyarrow as pa

from pipelines.ga4.extract.pull import Pull, partitions_of
from pipelines.ga4.report_catalog import ReportSpec
from pipelines.warehouse.ops import insert_rows, insert_table
from pipelines.warehouse.partitions import count_rows, delete_rows
from pipelines.warehouse.schema import make_tables
from pipelines.warehouse.statuses import PullStatus
from pipelines.warehouse.transactions import transaction

# Rows without a day tell what is wrong with a server: a page of them is enough, a million are not
# kept twice. How many they were is said beside the pull.
MOST_QUARANTINED = 10_000


def ensure_tables(connection: duckdb.DuckDBPyConnection, reports: tuple[ReportSpec, ...]) -> None:
    """Create the raw tables, and add the columns that a newer spec has.

    An optional report without an answer still has its (empty) table, so dbt can read it. Failed
    pulls that were remembered without an id, by older versions, get one each.
    """
    connection.execute("update ops.pulls set pull_id = uuid()::varchar where pull_id is null")
    make_tables(connection, "raw", {spec.table: spec.columns for spec in reports})


def discard_empty_nights(connection: duckdb.DuckDBPyConnection) -> None:
    """Have no empty pull count as loaded of a night in which GA4 told of no data of the property.

    The gate blocks the property that night, but its days would pass for empty ones later. A
    backfill may reach back to before a property's first day, and is left as it is.
    """
    connection.execute(
        """
        update ops.pulls set status = ?, message = 'GA4 had no data of the property that night.'
        where status = ? and row_count = 0 and (property_id, run_id) in (
            select (property_id, run_id) from ops.pulls
            where status = ? and report = 'sessions_by_all'
                and run_id not in (select backfill_id from ops.backfills)
            group by property_id, run_id
            having sum(row_count) = 0 and bool_and(empty_reason <> '')
        )
        """,
        [PullStatus.FAILED, PullStatus.LOADED, PullStatus.LOADED],
    )


def stored_rows(connection: duckdb.DuckDBPyConnection, pull: Pull) -> int:
    """Rows that are stored in the partitions of a pull."""
    return count_rows(connection, f"raw.{pull.spec.table}", pull.property_id, pull.partitions)


def replace_partitions(connection: duckdb.DuckDBPyConnection, pull: Pull, *, run_id: str) -> int:
    """Replace every partition of the pull; returns the rows written.

    One transaction: after a kill either all of the pull is stored, or nothing of it.
    """
    table, names = f"raw.{pull.spec.table}", ", ".join(pull.spec.columns)
    with transaction(connection):
        delete_rows(connection, table, pull.property_id, pull.partitions)
        connection.register("pulled_rows", pull.rows)
        connection.execute(f"insert into {table} ({names}) select {names} from pulled_rows")
        connection.unregister("pulled_rows")
        insert_rows(connection, "pulls", _pull_rows(pull, run_id))
        insert_table(connection, "quarantine", _quarantine_rows(connection, pull))
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
    now: datetime,
) -> None:
    """Remember a pull that stored nothing, and why: for all partitions that it should have brought.

    Every attempt has an id of its own, also a second one of the same run. What a server wrote
    into `message` is kept as far as it is text.
    """
    pull_id, said = uuid4().hex, message.encode("utf-8", "replace").decode()
    rows = [
        {
            "pull_id": pull_id, "run_id": run_id, "property_id": property_id, "report": spec.name,
            "report_version": spec.version, "date": partition["date"],
            "window_name": partition.get("window_name"), "status": status, "message": said,
            "pulled_at": now,
        }
        for partition in partitions_of(spec, *window).to_pylist()
    ]  # fmt: skip
    insert_rows(connection, "pulls", rows)


def _pull_rows(pull: Pull, run_id: str) -> list[dict[str, Any]]:
    """One row per partition; tokens and pages stand with the first one only, so they add up."""
    keys = pull.partitions.column_names
    sums = [(metric.column, "sum") for metric in pull.spec.metrics]
    grouped = pull.rows.group_by(keys).aggregate([([], "count_all"), *sums]).to_pylist()
    found = {tuple(row[key] for key in keys): row for row in grouped}
    common = _common(pull, run_id)
    rows = []
    for number, partition in enumerate(pull.partitions.to_pylist()):
        own = found.get(tuple(partition[key] for key in keys), {})
        totals = {column: own.get(f"{column}_sum", 0) for column, _ in sums}
        rows.append(
            {
                **common,
                "date": partition["date"],
                "window_name": partition.get("window_name"),
                "row_count": own.get("count_all", 0),
                "totals": json.dumps(totals),
                "pages": pull.pages if number == 0 else 0,
                "tokens": pull.tokens if number == 0 else 0,
            }
        )
    return rows


def _common(pull: Pull, run_id: str) -> dict[str, Any]:
    return {
        "pull_id": pull.pull_id, "run_id": run_id, "property_id": pull.property_id,
        "report": pull.spec.name, "report_version": pull.spec.version,
        "request_hash": pull.request_hash, "route": pull.route, "status": PullStatus.LOADED,
        "is_sampled": pull.flags.is_sampled, "is_thresholded": pull.flags.is_thresholded,
        "has_other_row": pull.flags.has_other_row, "other_share": pull.other_share,
        "missing_share": pull.missing_share, "left_out": ",".join(pull.left_out),
        "empty_reason": pull.flags.empty_reason,
        "restricted_metrics": ",".join(pull.flags.restricted_metrics),
        "truncation": pull.flags.truncation, "currency": pull.flags.currency,
        "time_zone": pull.flags.time_zone, "message": _notes(pull), "pulled_at": pull.pulled_at,
    }  # fmt: skip


def _notes(pull: Pull) -> str:
    notes = list(pull.notes)
    if pull.missing_share:
        notes.append(
            f"The rows lack {_percent(pull.missing_share)} of GA4's own total: it left rows out."
        )
    if (undated := pull.quarantined.num_rows) > MOST_QUARANTINED:
        notes.append(
            f"{undated:,} rows have no readable date; {MOST_QUARANTINED:,} of them are in "
            "ops.quarantine."
        )
    if pull.skipped:
        notes.append(
            f"Not asked for: {', '.join(pull.skipped)}. Register their event parameters as custom "
            "dimensions in GA4 (Admin > Custom definitions)."
        )
    return " ".join(notes)


def _percent(share: float) -> str:
    """`4.2 %`, and `< 0.1 %` instead of nothing at all."""
    text = f"{share:.1%}".replace("%", " %")
    return "< 0.1 %" if text == "0.0 %" else text


def _quarantine_rows(connection: duckdb.DuckDBPyConnection, pull: Pull) -> pa.Table:
    """One row for each that has no day, as far as somebody may look at them."""
    if not pull.quarantined.num_rows:
        return pull.quarantined
    connection.register("undated", pull.quarantined.slice(0, MOST_QUARANTINED))
    rows = connection.execute(
        """
        select
            ? as pull_id, ? as property_id, ? as report, date::varchar as date_text,
            to_json(undated)::varchar as row_json, 'the date cannot be read' as reason,
            ?::timestamptz as quarantined_at
        from undated
        """,
        [pull.pull_id, pull.property_id, pull.spec.name, pull.pulled_at],
    ).to_arrow_table()
    connection.unregister("undated")
    return rows
