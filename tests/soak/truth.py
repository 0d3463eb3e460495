"""The truth of a shop as one long table, and the bounds in which a night may find it.

`true_daily`: date, kind, cell (the names of a row, joined), metric, value. A day that the server
counted otherwise in some night so far has bounds instead of a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.e2e.shop import read_truth
from tests.soak.behaviours import Factor

# Between the names of a cell: in no name of any shop.
SEPARATOR = " ¦ "


def _cell(*columns: str) -> str:
    return f"concat_ws('{SEPARATOR}', {', '.join(columns)})"


_SEGMENTED = _cell("segment_name", "segment_value", "key")
_ITEM = _cell("item_id", "item_name")
# Table of truth.json → (kind, cell, metrics by name).
_TABLES: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "keys": ("key", _SEGMENTED, {"events": "events", "sessions": "sessions"}),
    "sessions": (
        "key", _cell("segment_name", "segment_value", "'sessions'"), {"sessions": "sessions"},
    ),
    "items": (
        "item", _ITEM,
        {
            "product_view": "items_viewed", "add_to_cart": "items_added_to_cart",
            "checkout_start": "items_checked_out", "purchase": "items_purchased",
            "revenue": "item_revenue",
        },
    ),
    "payment_types": ("payment", "payment_type", {"events": "events", "sessions": "sessions"}),
    "pages": (
        "page", "page_path",
        {
            "views": "views", "sessions": "sessions", "engaged_sessions": "engaged_sessions",
            "scroll_sessions": "scroll_sessions",
        },
    ),
    "page_keys": (
        "page key", _cell("page_path", "key"), {"events": "events", "sessions": "sessions"},
    ),
    "lists": (
        "list", "item_list_name", {"viewed": "items_viewed", "clicked": "items_clicked"},
    ),
    # A window's users are those of its last day's window, and are never added up.
    "closed_funnels": (
        "closed", _cell("window_name", "funnel", "device", "key"), {"users": "users"},
    ),
}  # fmt: skip


def load_truth(connection: duckdb.DuckDBPyConnection, events: Path) -> None:
    """Makes the table `true_daily` of a shop."""
    connection.execute(
        "create or replace table true_daily "
        "(date date, kind varchar, cell varchar, metric varchar, value double)"
    )
    for table, (kind, cell, metrics) in _TABLES.items():
        connection.register("truth", read_truth(events, table))
        for metric, column in metrics.items():
            connection.execute(
                f"insert into true_daily select date::date, '{kind}', {cell}, '{metric}', "
                f"sum({column}) from truth group by all"
            )
        connection.unregister("truth")


def load_bounds(connection: duckdb.DuckDBPyConnection, bounds: Mapping[date, Factor]) -> None:
    """Makes the table `bounds`: date, and how often it may have been counted."""
    days = list(bounds)
    table = pa.table(
        {
            "date": pa.array(days, pa.date32()),
            "low": pa.array([bounds[day][0] for day in days], pa.float64()),
            "high": pa.array([bounds[day][1] for day in days], pa.float64()),
        }
    )
    connection.register("bound_rows", table)
    connection.execute("create or replace table bounds as from bound_rows")
    connection.unregister("bound_rows")
