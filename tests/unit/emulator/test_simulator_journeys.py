"""The truth of journeys: on a few visitors by hand, and against a recount of the Parquet."""

from __future__ import annotations

import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from pipelines.emulator.simulator import simulate
from pipelines.emulator.simulator.truth_journeys import (
    _STEP_EVENTS,
    Moments,
    _closed,
    item_windows,
    windows_of,
)

START = date(2026, 10, 1)


def moments(*rows: tuple[int, str, int, int]) -> Moments:
    """Visitor, key, time and device of each event."""
    visitor, keys, time_us, device = zip(*rows, strict=True)
    codes = [list(_STEP_EVENTS).index(key) for key in keys]
    return Moments(np.array(visitor), np.array(codes), np.array(time_us), np.array(device))


def test_a_closed_funnel_wants_every_step_in_order() -> None:
    found = _closed(
        ("product_view", "gallery", "add_to_cart"),
        moments(
            (1, "product_view", 10, 0), (1, "gallery", 20, 0), (1, "add_to_cart", 30, 0),
            # The gallery came first, and again after the view; the add only before that.
            (2, "gallery", 5, 1), (2, "product_view", 10, 1), (2, "add_to_cart", 15, 1),
            (2, "gallery", 20, 1),
            # Added without a look at the gallery; entered on a phone, came back on a desktop.
            (3, "product_view", 10, 0), (3, "product_view", 40, 1), (3, "add_to_cart", 50, 1),
            (4, "add_to_cart", 1, 2),
        ),
    )  # fmt: skip
    # All, then by the device of the first view: mobile, desktop, tablet.
    assert found == [[3, 2, 1, 0], [2, 1, 1, 0], [1, 1, 0, 0]]


def test_windows_end_with_days_weeks_and_months() -> None:
    # 4 February 2026 is a Wednesday.
    found = list(windows_of(date(2026, 1, 1), date(2026, 2, 4)))
    assert found == [
        ("7d", date(2026, 1, 29), date(2026, 2, 4)),
        ("7d", date(2026, 1, 22), date(2026, 1, 28)),
        ("28d", date(2026, 1, 8), date(2026, 2, 4)),
        ("28d", date(2025, 12, 11), date(2026, 1, 7)),
        ("week", date(2026, 1, 26), date(2026, 2, 1)),
        ("week", date(2026, 1, 19), date(2026, 1, 25)),
        ("month", date(2026, 1, 1), date(2026, 1, 31)),
    ]


def test_items_add_up_over_a_window() -> None:
    days = [START + timedelta(days=number) for number in range(8)]
    rows = [[day.isoformat(), "mug", "Mug", 2, 1, 1, 1, 0.1] for day in days]
    found = {row[0]: row for row in item_windows(START, days[-1], rows) if row[2] == "2026-10-08"}
    assert found["7d"] == ["7d", "2026-10-02", "2026-10-08", "mug", "Mug", 14, 7, 7, 7, 0.7]
    assert found["28d"] == ["28d", "2026-09-11", "2026-10-08", "mug", "Mug", 16, 8, 8, 8, 0.8]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journeys") / "shop"
    simulate(folder, start=START, days=3, sessions_per_day=1200)
    return folder


def recount(shop: Path, funnel: dict[str, str], by_day: bool) -> set[tuple[Any, ...]]:
    """Each step's users by date and device, in SQL: the earliest time after the step before."""
    partition = "strptime(event_date, '%Y%m%d')::date::varchar" if by_day else "'2026-10-03'"
    connection = duckdb.connect()
    connection.execute(
        f"create table e as select {partition} as day, user_pseudo_id as person, event_name, "
        "event_timestamp as t, device.category as device "
        f"from read_parquet('{shop}/events_*.parquet')"
    )
    connection.execute("create table reached as select distinct day, person, 0 as t from e")
    found: set[tuple[Any, ...]] = set()
    for key, events in funnel.items():
        connection.execute(
            "create or replace table reached as select e.day, e.person, min(e.t) as t, "
            "any_value(e.device) as device from e join reached on e.day = reached.day "
            f"and e.person = reached.person and e.t > reached.t and e.event_name in ({events}) "
            "group by all"
        )
        found |= {
            (*row, key)
            for row in connection.execute(
                "select day, device, count(*) from reached group by all union all "
                "select day, 'all', count(*) from reached group by all"
            ).fetchall()
        }
    return found


FUNNELS = {
    "core": {
        "sessions": "'session_start'",
        "product_view": "'view_item'",
        "add_to_cart": "'add_to_cart'",
        "checkout_start": "'begin_checkout'",
        "purchase": "'purchase'",
    },
    "lift_video_play": {
        "product_view": "'view_item'",
        "video_play": "'product_video_play', 'video_start'",
        "add_to_cart": "'add_to_cart'",
    },
}


@pytest.mark.parametrize(
    ("funnel", "window"), [("core", "1d"), ("core", "28d"), ("lift_video_play", "28d")]
)
def test_closed_funnels_equal_a_recount(shop: Path, funnel: str, window: str) -> None:
    table = json.loads((shop / "truth.json").read_text())["closed_funnels"]
    told = {
        (day, device, users, key)
        for name, day, one, device, _, key, users in table["rows"]
        if (name, one) == (window, funnel) and users
    }
    counted = recount(shop, FUNNELS[funnel], by_day=window == "1d")
    assert told == counted
    assert len({users for *_, users, _ in told}) > 5


def test_payment_methods_equal_a_recount(shop: Path) -> None:
    rows = json.loads((shop / "truth.json").read_text())["payment_types"]["rows"]
    parameter = "list_filter(event_params, p -> p.key = '{}')[1].value.{}_value"
    counted = duckdb.execute(
        "select strptime(event_date, '%Y%m%d')::date::varchar, "
        f"{parameter.format('payment_type', 'string')} as method, count(*), "
        f"count(distinct (user_pseudo_id, {parameter.format('ga_session_id', 'int')})) "
        f"from read_parquet('{shop}/events_*.parquet') where event_name = 'add_payment_info' "
        "group by all"
    ).fetchall()
    assert sorted(tuple(row) for row in rows) == sorted(counted)
    assert len(rows) > 8
