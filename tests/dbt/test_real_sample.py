"""Google's public sample shop (3 months, GA4): its cart tag was off on 18 of 92 days.

Sessions, sessions with add_to_cart and orders of every day and channel; the data stay where they
are, beside the project.
"""

import csv
import math
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.dbt.conftest import Dbt
from tests.dbt.warehouse import Day, Warehouse

DATA = Path(__file__).parents[3] / "shared/data/ga4_sample_daily"
FILE = DATA / "fact_funnel_by_date_channel_sample.csv"
SHOP = "3"


@dataclass
class Counts:
    sessions: int = 0
    carts: int = 0
    orders: int = 0

    def add(self, row: dict[str, str]) -> None:
        self.sessions += int(row["sessions"])
        self.carts += int(row["add_to_cart"])
        self.orders += int(row["purchases"])

    @property
    def day(self) -> Day:
        events = {"add_to_cart": self.carts, "purchase": self.orders}
        return Day(self.sessions, {name: count for name, count in events.items() if count})


Cells = dict[date, dict[tuple[str, str], Counts]]


@pytest.fixture(scope="module")
def sample() -> Cells:
    if not FILE.exists():
        pytest.skip("the public sample by day is not at ../shared/data/ga4_sample_daily")
    cells: Cells = defaultdict(lambda: defaultdict(Counts))
    with FILE.open(newline="") as lines:
        for row in csv.DictReader(lines):
            day = cells[date.fromisoformat(row["date_pk"])]
            day["all", "all"].add(row)
            day["channel", row["channel_group"]].add(row)
    return cells


@pytest.fixture(scope="module")
def built(sample: Cells, dbt: Dbt, new_warehouse: Callable[[], Warehouse]) -> Warehouse:
    warehouse = new_warehouse()
    warehouse.add_property(SHOP, "America/Los_Angeles", "USD")
    warehouse.load(
        SHOP,
        {
            day: {cell: counts.day for cell, counts in cells.items()}
            for day, cells in sample.items()
        },
    )
    dbt(warehouse, "seed")
    dbt(warehouse, "run", "--select", "+fct_micro_conversion_daily", "+fct_funnel_daily")
    return warehouse


def lost_days(sample: Cells) -> set[date]:
    """docs/analytics.md by hand: P(0 | own baseline) < 0.001 over the run of days without a cart.

    No product page is tracked here, so sessions are what a cart is counted over. The baseline are
    the 28 days up to the last day with a cart.
    """
    whole = {day: cells["all", "all"] for day, cells in sample.items()}
    seen = [day for day, counts in whole.items() if counts.carts]
    lost = set()
    for day, counts in whole.items():
        last = max((one for one in seen if one <= day), default=None)
        if counts.carts or last is None:
            continue
        baseline = [whole[one] for one in whole if last - timedelta(days=28) < one <= last]
        rate = sum(one.carts for one in baseline) / sum(one.sessions for one in baseline)
        silent = sum(one.sessions for when, one in whole.items() if last < when <= day)
        if silent * math.log1p(-rate) < math.log(0.001):
            lost.add(day)
    return lost


def test_the_rule_by_hand(sample: Cells) -> None:
    """4 carts of 2,594 sessions on 1 November: 3,682 silent ones are chance (0.34 %), 8,967 not."""
    assert sum(len(cells) > 1 for cells in sample.values()) == 92
    without = {day for day, cells in sample.items() if not cells["all", "all"].carts}
    assert len(without) == 18
    assert pytest.approx(0.0034, abs=5e-5) == (1 - 4 / 2594) ** 3682
    assert lost_days(sample) == without - {date(2020, 11, 2)}


def test_tracking_is_lost_on_exactly_those_days(sample: Cells, built: Warehouse) -> None:
    rows = built.query(
        "select date, sessions, tracking_state from marts.fct_micro_conversion_daily "
        "where key = 'add_to_cart' and segment_name = 'all' order by date"
    )
    assert len(rows) == 92
    assert {day for day, _, state in rows if state == "tracking_lost"} == lost_days(sample)
    others = {(day, count) for day, count, state in rows if state == "tracked"}
    # A day without a cart that may be chance is a real 0.
    assert others == {
        (day, cells["all", "all"].carts)
        for day, cells in sample.items()
        if day not in lost_days(sample)
    }


def test_no_rate_over_a_lost_cart_and_none_of_the_order_is_invented(
    sample: Cells, built: Warehouse
) -> None:
    lost = lost_days(sample)
    rows = built.query(
        "select date, step_key, step_rate, status from marts.fct_funnel_daily where "
        "funnel = 'core' and segment_name = 'channel' and step_key in ('add_to_cart', 'purchase')"
    )
    assert {day for day, *_ in rows} == sample.keys()
    of_carts = [row for row in rows if row[0] in lost and row[1] == "add_to_cart"]
    assert {(rate, status) for *_, rate, status in of_carts} == {(None, "tracking_lost")}
    # Neither product pages nor checkouts are in the sample: no rate is made up for them.
    assert {rate for *_, rate, _ in rows} == {None}


def test_the_chain_of_the_sample_says_what_is_not_tracked(built: Warehouse) -> None:
    states = dict(
        built.query(
            "select distinct key, tracking_state from marts.fct_micro_conversion_daily "
            "where date = '2021-01-31' and key in ('product_view', 'checkout_start', 'purchase')"
        )
    )
    assert states["product_view"] == "not_tracked"
    assert states["purchase"] == "tracked"
