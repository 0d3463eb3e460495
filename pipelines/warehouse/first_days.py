"""Since when a property has days."""

from __future__ import annotations

from datetime import date

import duckdb

from pipelines.warehouse.statuses import PullStatus


def first_loaded_days(connection: duckdb.DuckDBPyConnection) -> dict[str, date]:
    """Property → the first day of which a report was loaded."""
    return dict(
        connection.execute(
            "select property_id, min(date) from ops.pulls where status = ? "
            "and window_name is null and report <> 'metadata' group by property_id",
            [PullStatus.LOADED],
        ).fetchall()
    )
