"""Exports differ from file to file: the same small shop in every shape gives the same numbers.

A day of seven events of two users. What a shape cannot say (no channel, no items) is written out;
all else must be as in the plainest shape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.support.emulated_shop import SCHEMA
from tests.unit.export.writing import DAY, Row, event, opened, order, rows_of, write

pytestmark = pytest.mark.slow

BOOT = {"item_id": "boot", "item_name": "Boot", "price": 10.5, "quantity": 2}
SOCK = {"item_id": "sock", "item_name": "Sock", "price": 4.25}  # a unit, as no quantity says else
PAGE = {"page_location": "https://shop.example/p/1?x=2"}
ROWS = [
    event("session_start", page_location="https://shop.example/?utm_source=x"),
    event("view_item", at=1, **PAGE, more={"items": [BOOT, SOCK]}),
    event("scroll", at=2, **PAGE, percent=90.0, session_engaged="1"),
    event("add_to_cart", at=3, **PAGE, engagement_time_msec=1500, more={"items": [BOOT]}),
    order("t1", 21.5, at=4, more={"items": [BOOT]}),
    event("view_item", user="u2", session=7, **PAGE, more={"items": [SOCK]}),
    event("purchase", user="u2", session=7, at=1, transaction_id="t2", value=4.25),
]
NUMBERS: dict[str, Any] = {
    "sessions, engaged, orders, revenue, seconds": (2, 1, 2, 25.75, 1.5),
    "users by event": {"add_to_cart": 1, "purchase": 2, "view_item": 2},
    "channels": {"Direct": 2},
    "devices": {"mobile": 2},
    "landing pages": {"/": 1, "/p/1": 1},
    "item, units viewed, in cart, bought, revenue": [
        ("boot", 2, 2, 2, 21.0),
        ("sock", 2, 0, 0, 0.0),
    ],
    "scrolled at least 50": 1,
    "users of core": [1, 1, 1, 1],
}
UNKNOWN = {"(not set)": 2}


def numbers(home: Path, path: Path | str) -> dict[str, Any]:
    source = opened(home, path)
    source.land(DAY, DAY)
    assert source.failed == {}
    (day,) = rows_of(source, "sessions_by_all")
    names = ("sessions", "engaged_sessions", "transactions", "purchase_revenue")
    return {
        "sessions, engaged, orders, revenue, seconds": (
            *(day[name] for name in names), day["user_engagement_duration"],
        ),
        "users by event": {
            row["event_name"]: row["total_users"]
            for row in rows_of(source, "users_window")
            if row["window_name"] == "7d" and row["device_category"] == "(all)"
            and row["event_name"] in {"add_to_cart", "purchase", "view_item"}
        },
        "channels": _by(source, "sessions_by_channel", "session_default_channel_group"),
        "devices": _by(source, "sessions_by_device", "device_category"),
        "landing pages": _by(source, "sessions_by_landing_page", "landing_page"),
        "item, units viewed, in cart, bought, revenue": sorted(
            (
                row["item_id"], row["items_viewed"], row["items_added_to_cart"],
                row["items_purchased"], row["item_revenue"],
            )
            for row in rows_of(source, "items")
        ),
        "scrolled at least 50": sum(
            row["event_count"] for row in rows_of(source, "micro_by_all")
            if row["micro_key"] == "scroll"
        ),
        "users of core": [
            row["active_users"]
            for row in sorted(rows_of(source, "funnel"), key=lambda row: row["step_number"])
            if (row["funnel"], row["window_name"], row["device_category"])
            == ("core", "28d", "all")
        ],
    }  # fmt: skip


def _by(source: Any, report: str, column: str) -> dict[str, int]:
    return {row[column]: row["sessions"] for row in rows_of(source, report)}


def with_type(column: str, kind: pa.DataType) -> pa.Schema:
    return SCHEMA.set(SCHEMA.get_field_index(column), pa.field(column, kind))


def without(*columns: str) -> Callable[[Path], Path]:
    """Parquet of a table that never had these columns."""
    kept = pa.schema([field for field in SCHEMA if field.name not in columns])
    return lambda folder: write(folder / PARQUET, ROWS, kept)


def with_elements(folder: Path) -> Path:
    """Lists as Spark and some of BigQuery's own writers nest them: `list`, and in it `element`."""
    rows = [
        row | {name: {"list": [{"element": one} for one in row[name]]} for name in LISTS}
        for row in ROWS
    ]
    schema = SCHEMA
    for name in LISTS:
        element = schema.field(name).type.value_type
        nested = pa.struct({"list": pa.list_(pa.struct({"element": element}))})
        schema = schema.set(schema.get_field_index(name), pa.field(name, nested))
    return write(folder / PARQUET, rows, schema)


def changed(change: Callable[[Row], Row], name: str, schema: pa.Schema = SCHEMA) -> Any:
    """Every row changed, and then written."""
    return lambda folder: write(folder / name, [change(row) for row in ROWS], schema)


def split(*names: str) -> Callable[[Path], Path]:
    """The rows in turn into files of these names, in the same folder."""

    def written(folder: Path) -> Path:
        for number, name in enumerate(names):
            write(folder / name, ROWS[number :: len(names)])
        return folder

    return written


def values(*kinds: str) -> Callable[[Row], Row]:
    """Parameters with only these kinds of values, as text where there is no other."""

    def change(row: Row) -> Row:
        return row | {
            "event_params": [
                {"key": one["key"], "value": _narrowed(one["value"], kinds)}
                for one in row["event_params"]
            ]
        }

    return change


def _narrowed(value: Row, kinds: Sequence[str]) -> Row:
    known = next(found for found in value.values() if found is not None)
    kept = {kind: value[kind] for kind in kinds}
    return kept if any(one is not None for one in kept.values()) else {kinds[0]: str(known)}


def as_text(row: Row) -> Row:
    """Whole numbers as text, as BigQuery writes them into JSON."""
    return row | {
        "event_timestamp": str(row["event_timestamp"]),
        "event_params": [
            {"key": one["key"], "value": {
                kind: str(value) if kind == "int_value" else value
                for kind, value in one["value"].items() if value is not None
            }}
            for one in row["event_params"]
        ],
        "items": [
            {key: str(value) if key == "quantity" else value for key, value in item.items()}
            for item in row["items"]
        ],
    }  # fmt: skip


def text_of_ecommerce(row: Row) -> Row:
    """The record as text, where there is one; else the word null."""
    told = row["ecommerce"]
    if told is None:
        return row | {"ecommerce": "null"}
    number, revenue = told["transaction_id"], told["purchase_revenue"]
    text = f'{{"purchase_revenue": {revenue}, "transaction_id": "{number}"}}'
    return row | {"ecommerce": text}


def twice(row: Row) -> Row:
    """Every parameter a second time, with another value: the first counts."""
    other = {"string_value": "other", "int_value": None, "float_value": None, "double_value": None}
    again = [{"key": one["key"], "value": other} for one in row["event_params"]]
    return row | {"event_params": row["event_params"] + again}


LISTS = ("event_params", "items")
PARQUET, JSON = "events_20260310.parquet", "events_20260310.ndjson"
TEXT_PARAMS = pa.list_(
    pa.struct({"key": pa.string(), "value": pa.struct({"string_value": pa.string()})})
)
FLOATS = pa.list_(
    pa.struct({"key": pa.string(), "value": pa.struct(
        {"string_value": pa.string(), "int_value": pa.int64(), "float_value": pa.float32()}
    )})
)  # fmt: skip
INTRADAY = event("view_item", at=9, user="u3", session=9)
YESTERDAY = event("view_item", session=9, day=DAY - timedelta(days=1))

SAME: dict[str, Callable[[Path], Path]] = {
    "Parquet": lambda folder: write(folder / PARQUET, ROWS),
    "newline JSON": lambda folder: write(folder / JSON, ROWS),
    "gzip": lambda folder: write(folder / f"{JSON}.gz", ROWS),
    "jsonl, gzip, in capitals": lambda folder: write(
        folder / "EVENTS_20260310.jsonl.gz", ROWS
    ).rename(folder / "EVENTS_20260310.JSONL.GZ"),
    "lists with the level list.element": with_elements,
    "whole numbers as text": changed(as_text, JSON),
    "whole numbers as text in Parquet": changed(
        lambda row: row | {"event_timestamp": str(row["event_timestamp"])},
        PARQUET,
        with_type("event_timestamp", pa.string()),
    ),
    "all values as text": changed(
        values("string_value"), PARQUET, with_type("event_params", TEXT_PARAMS)
    ),
    "float_value and no double_value": changed(
        lambda row: values("string_value", "int_value", "float_value")(
            row | {"event_params": [
                {"key": one["key"], "value": one["value"] | {
                    "float_value": one["value"]["double_value"]
                }}
                for one in row["event_params"]
            ]}
        ),
        PARQUET,
        with_type("event_params", FLOATS),
    ),
    "no is_active_user, no country": without("geo"),
    "text of ecommerce": changed(text_of_ecommerce, PARQUET, with_type("ecommerce", pa.string())),
    "text of ecommerce in JSON": changed(text_of_ecommerce, JSON),
    "every parameter twice": changed(twice, PARQUET),
    "several files": split(
        "events_20260310-000000000000.parquet", "events_20260310-000000000001.parquet",
        "events_20260310-000000000003.parquet",
    ),
    "Parquet and JSON of one day": split(PARQUET, JSON),
    "a folder date=": split("date=2026-03-10/000.parquet", "date=2026-03-10/001.parquet"),
    "a folder of the date": split("2026-03-10/part-0.parquet", "2026-03-10/part-1.parquet"),
    "a folder of the table": split("events_20260310/000000000000.parquet"),
    "a folder named after no day": split("a/b/c/events_20260310.parquet"),
    "intraday beside it": lambda folder: [
        write(folder / PARQUET, ROWS),
        write(folder / "events_intraday_20260310.parquet", [INTRADAY]),
        write(folder / "events_intraday_20260310" / "0.parquet", [INTRADAY]),
    ][0].parent,
    "a file of no day with two days": lambda folder: write(
        folder / "all.parquet", [*ROWS, YESTERDAY]
    ),
    "a file of no day, dates as numbers": lambda folder: write(
        folder / "all.parquet",
        [row | {"event_date": int(row["event_date"])} for row in ROWS],
        with_type("event_date", pa.int64()),
    ),
    "below folders that look like a day and like intraday": lambda folder: write(
        folder / "2025-12-01 intraday" / "export" / "all.ndjson", ROWS
    ),
    "what is no export beside it": lambda folder: [
        write(folder / PARQUET, ROWS),
        write(folder / "property.json", []),
        write(folder / ".events_20260310.parquet", ROWS),
        write(folder / "_temporary" / "notes.txt", []),
    ][0].parent,
}  # fmt: skip
CHANGED: dict[str, tuple[Callable[[Path], Path], dict[str, Any]]] = {
    "no session_traffic_source_last_click": (
        without("session_traffic_source_last_click"), {"channels": UNKNOWN},
    ),
    "no device": (without("device"), {"devices": UNKNOWN}),
    "no items": (without("items"), {"item, units viewed, in cart, bought, revenue": []}),
    "no ecommerce": (
        # The order that only `ecommerce` names is one without an identifier, and of no value.
        without("ecommerce"), {"sessions, engaged, orders, revenue, seconds": (2, 1, 2, 4.25, 1.5)},
    ),
    "only what must be there": (
        without("session_traffic_source_last_click", "device", "items", "ecommerce", "geo"),
        {
            "channels": UNKNOWN,
            "devices": UNKNOWN,
            "item, units viewed, in cart, bought, revenue": [],
            "sessions, engaged, orders, revenue, seconds": (2, 1, 2, 4.25, 1.5),
        },
    ),
    "only what must be there in JSON": (
        lambda folder: write(folder / JSON, [
            {name: row[name] for name in
             ("event_date", "event_timestamp", "event_name", "event_params", "user_pseudo_id")}
            for row in ROWS
        ]),
        {
            "channels": UNKNOWN,
            "devices": UNKNOWN,
            "item, units viewed, in cart, bought, revenue": [],
            "sessions, engaged, orders, revenue, seconds": (2, 1, 2, 4.25, 1.5),
        },
    ),
    "prices and values that are none": (
        changed(
            lambda row: row | {"items": [one | {"price": "free"} for one in row["items"]]}, JSON
        ),
        {"item, units viewed, in cart, bought, revenue": [
            ("boot", 2, 2, 2, 0.0), ("sock", 2, 0, 0, 0.0),
        ]},
    ),
}  # fmt: skip


@pytest.mark.parametrize("shape", SAME)
def test_every_shape_gives_the_same_numbers(tmp_path: Path, shape: str) -> None:
    path = SAME[shape](tmp_path / "export")
    assert numbers(tmp_path, path) == NUMBERS


@pytest.mark.parametrize("shape", CHANGED)
def test_what_a_shape_lacks_is_unknown_and_nothing_else(tmp_path: Path, shape: str) -> None:
    made, difference = CHANGED[shape]
    assert numbers(tmp_path, made(tmp_path / "export")) == NUMBERS | difference


def test_events_without_parameters_belong_to_no_session(tmp_path: Path) -> None:
    for name, parameters in (("none", None), ("empty", [])):
        rows = [row | {"event_params": parameters} for row in ROWS]
        source = opened(tmp_path / name, write(tmp_path / name / PARQUET, rows))
        source.land(DAY, DAY)
        found = source.landing.record(DAY)
        assert found is not None
        assert (found.rows, found.without_session) == (7, 7)
        (day,) = rows_of(source, "sessions_by_all")
        assert (day["sessions"], day["transactions"]) == (0, 2)


def test_a_file_of_many_days_lands_each_of_them(tmp_path: Path) -> None:
    days = [DAY - timedelta(days=number) for number in range(4)]
    rows = [event("view_item", day=day, session=number) for number, day in enumerate(days)]
    source = opened(tmp_path, write(tmp_path / "export" / "all.ndjson.gz", rows))
    source.land(days[-1], DAY)
    assert source.landing.days() == sorted(days)
    counted = rows_of(source, "events_by_all", days[-1])
    assert [(row["date"], row["event_count"]) for row in counted] == [(d, 1) for d in sorted(days)]


def test_channels_that_nobody_names_are_counted(tmp_path: Path) -> None:
    source = opened(tmp_path, without("session_traffic_source_last_click")(tmp_path))
    source.land(DAY, DAY)
    found = source.landing.record(DAY)
    assert found is not None
    assert found.without_channel == 2


def test_the_kinds_of_files_are_what_they_are_called(tmp_path: Path) -> None:
    """That the shapes above are different at all."""
    plain = pq.read_schema(SAME["Parquet"](tmp_path / "1")).field("event_params").type
    nested = pq.read_schema(SAME["lists with the level list.element"](tmp_path / "2"))
    assert pa.types.is_list(plain)
    assert pa.types.is_struct(nested.field("event_params").type)
