"""Rows that are there twice are one event; rows that differ in anything that is read are two."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.unit.export.writing import DAY, Row, event, opened, order, rows_of, write

VIEW = event("view_item", more={"items": [{"item_id": "a", "price": 2.5, "quantity": 1}]})
ORDER = order("t1", 10.0, at=1)
ROWS = [VIEW, ORDER, event("scroll", at=2, percent=90.0)]
PART = "events_20260310-00000000000{}.parquet"
JSON = "events_20260310.ndjson"


def landed(folder: Path, files: dict[str, list[Row]]) -> tuple[Any, Any]:
    """The record of a day, and its one row of `sessions_by_all`."""
    for name, rows in files.items():
        write(folder / "export" / name, rows)
    source = opened(folder, folder / "export")
    source.land(DAY, DAY)
    (day,) = rows_of(source, "sessions_by_all")
    return source.landing.record(DAY), day


OVERLAPS: dict[str, tuple[dict[str, list[Row]], int]] = {
    "one file twice": ({PART.format(0): ROWS, PART.format(1): ROWS}, 3),
    "two files with a row in common": ({PART.format(0): ROWS[:2], PART.format(1): ROWS[1:]}, 1),
    "a row three times in one file": ({JSON: [*ROWS, VIEW, VIEW]}, 2),
    "Parquet, JSON and gzip of the same rows": (
        {PART.format(0): ROWS, JSON: ROWS, f"{JSON}.gz": ROWS}, 6,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", OVERLAPS)
def test_exact_duplicates_are_removed_and_counted(tmp_path: Path, name: str) -> None:
    files, duplicates = OVERLAPS[name]
    record, day = landed(tmp_path, files)
    assert (record.rows, record.duplicates) == (3 + duplicates, duplicates)
    assert (day["transactions"], day["purchase_revenue"]) == (1, 10.0)


TWO: dict[str, tuple[Row, Row]] = {
    "order": (order("t1", 10.0), order("t2", 10.0)),
    "revenue, and no order's name": (order(None, 10.0), order(None, 12.0)),
    "parameter": (event("scroll", percent=50.0), event("scroll", percent=90.0)),
    "item": (VIEW, VIEW | {"items": [{"item_id": "b", "price": 2.5, "quantity": 1}]}),
    "moment": (VIEW, event("view_item", at=1e-6)),
    "user": (VIEW, VIEW | {"user_pseudo_id": "u2"}),
    "batch_event_index": (VIEW | {"batch_event_index": 1}, VIEW | {"batch_event_index": 2}),
}


@pytest.mark.parametrize("what", TWO)
def test_rows_that_differ_are_two_events(tmp_path: Path, what: str) -> None:
    record, _ = landed(tmp_path, {JSON: list(TWO[what])})
    assert (record.rows, record.duplicates) == (2, 0)


def test_repeats_of_an_order_are_one_order_and_unnamed_orders_are_not(tmp_path: Path) -> None:
    names = ["t1", "t1", "(not set)", "(not set)", "", "", None, None]
    rows = [order(name, 1.0 + place, at=place) for place, name in enumerate(names)]
    record, day = landed(tmp_path, {JSON: rows})
    assert record.duplicates == 0
    # The first row of t1, and six of which nobody can say that they are repeats: 1 + 3 + … + 8.
    assert (day["transactions"], day["purchase_revenue"]) == (7, 34.0)


def test_every_row_of_files_of_two_kinds_has_a_place_of_its_own(tmp_path: Path) -> None:
    """Parquet has no larger whole numbers: as fractions, only 302 of 600 places were different."""
    rows = [event("view_item", at=number) for number in range(600)]
    write(tmp_path / "export" / JSON, rows[:300])
    source = opened(tmp_path, write(tmp_path / "export" / PART.format(0), rows[300:]).parent)
    source.land(DAY, DAY)
    path = source.landing.path(DAY, "events.parquet")
    assert duckdb.sql(f"select count(distinct position) from '{path}'").fetchall() == [(600,)]
