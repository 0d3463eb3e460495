"""The truth of a shop as one long table, and the bounds in which a night may find it.

`true_daily`: date, kind, cell (the names of a row, joined), metric, value. A day that the server
counted otherwise in some night so far has bounds instead of a value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa

from tests.e2e.shop import read_truth
from tests.soak.behaviours import Factor

# Between the names of a cell: in no name of any shop.
SEPARATOR = " ¦ "


def joined(*columns: str) -> str:
    """SQL of a cell: these columns of a row, joined."""
    return f"concat_ws('{SEPARATOR}', {', '.join(columns)})"


_SEGMENTED = joined("segment_name", "segment_value", "key")
_ITEM = joined("item_id", "item_name")
# Table of truth.json → (kind, cell, metrics by name).
_TABLES: Mapping[str, tuple[str, str, Mapping[str, str]]] = {
    "keys": ("key", _SEGMENTED, {"events": "events", "sessions": "sessions"}),
    "sessions": (
        "key", joined("segment_name", "segment_value", "'sessions'"), {"sessions": "sessions"},
    ),
    "cells": (
        "cell", joined("cube", "device", "channel", "visitor", "country", "key"),
        {"sessions": "sessions"},
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
        "page key", joined("page_path", "key"), {"events": "events", "sessions": "sessions"},
    ),
    "lists": (
        "list", "item_list_name", {"viewed": "items_viewed", "clicked": "items_clicked"},
    ),
    # A window's users are those of its last day's window, and are never added up.
    "closed_funnels": (
        "closed", joined("window_name", "funnel", "device", "key"), {"users": "users"},
    ),
}  # fmt: skip


def load_truth(connection: duckdb.DuckDBPyConnection, events: Path) -> None:
    """Makes the table `true_daily` of a shop."""
    connection.register("true_rows", _true_rows(events))
    connection.execute("create or replace table true_daily as from true_rows")
    connection.unregister("true_rows")


@cache
def _true_rows(events: Path) -> pa.Table:
    """Read once a process: every night of every seed asks for them."""
    with duckdb.connect() as connection:
        parts = []
        for table, (kind, cell, metrics) in _TABLES.items():
            connection.register(table, read_truth(events, table))
            parts += [
                f"select date::date as date, '{kind}' as kind, {cell} as cell, "
                f"'{metric}' as metric, sum({column})::double as value from {table} group by all"
                for metric, column in metrics.items()
            ]
        return connection.execute(" union all ".join(parts)).to_arrow_table()


# A day that still grew when it was pulled, and says so (provisional): most of its sessions are
# there, give or take a few of a small cell.
GROWING_DAYS = 3
GROWN_SHARE, FEW = 0.7, 12


@dataclass
class Bounds:
    """What a server may have said of a property so far: days it counted otherwise (how often, at
    least and at most), and days that were growing in some night.
    """

    factors: dict[date, Factor] = field(default_factory=dict)
    growing: set[date] = field(default_factory=set)

    def widen(self, end: date, factors: Mapping[date, Factor], *, is_growing: bool) -> None:
        """After a night that ended on `end`; a day keeps what it was, for not every report of it
        needs have been pulled.
        """
        for day, (low, high) in factors.items():
            before = self.factors.get(day, (1.0, 1.0))
            self.factors[day] = (min(before[0], low), max(before[1], high))
        if is_growing:
            self.growing |= {end - timedelta(days=back) for back in range(GROWING_DAYS)}

    def narrow(self, start: date) -> None:
        """After a night without faults, which pulled every report from `start` on."""
        self.factors = {day: one for day, one in self.factors.items() if day < start}

    def load(self, connection: duckdb.DuckDBPyConnection) -> None:
        """Makes the table `bounds`: date, low, high, is_growing; days without a row are certain."""
        days = sorted({*self.factors, *self.growing})
        table = pa.table(
            {
                "date": pa.array(days, pa.date32()),
                "low": [self.factors.get(day, (1.0, 1.0))[0] for day in days],
                "high": [self.factors.get(day, (1.0, 1.0))[1] for day in days],
                "is_growing": pa.array([day in self.growing for day in days], pa.bool_()),
            }
        )
        connection.register("bound_rows", table)
        connection.execute(
            "create or replace table bounds as "
            "select date, low::double as low, high::double as high, is_growing from bound_rows"
        )
        connection.unregister("bound_rows")
