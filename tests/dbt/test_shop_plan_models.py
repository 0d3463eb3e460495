"""A shop with its own tracking_plan.yml, from the file through the client's rows to the marts."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import pytest

from pipelines.config.tracking_plan import load_plan
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.tracking_overrides import remember_plan
from tests.dbt.conftest import Dbt
from tests.dbt.warehouse import Day, Warehouse

FIRST = date(2026, 3, 1)
DAYS = [FIRST + timedelta(days=n) for n in range(10)]
# No event is called as in the seed; the cart has two names, so GA4 itself counts its sessions.
SENT = Day(
    12,
    {"produkt_ansicht": 10, "addToCart": 2, "warenkorb": 3, "chat_open": 1, "beginCheckout": 1},
    {"add_to_cart": 4},
)
OWN = """
micro_conversions:
  product_view: {event_names: produkt_ansicht}
  add_to_cart: {event_names: [addToCart, warenkorb]}
  chat: {stage: product, family: intent, event_names: chat_open, parent_key: product_view,
         description: A chat was opened}
not_applicable: [wishlist]
benchmarks:
  - {benchmark_key: add_to_cart_rate, low: 0.3, high: 0.5, source: Own figures of 2025,
     source_date: 2026-01-15}
figures:
  - {benchmark_key: add_to_cart_rate, statistic: bottom_25, value: 0.2,
     publisher: Shopify, period: March 2026, period_end: 2026-03-31}
  - {benchmark_key: add_to_cart_rate, statistic: median, value: 0.35,
     publisher: Shopify, period: March 2026, period_end: 2026-03-31}
"""


@pytest.fixture(scope="module")
def built(dbt: Dbt, new_warehouse: Callable[[], Warehouse], tmp_path_factory) -> Warehouse:
    own = Path(tmp_path_factory.mktemp("own")) / "tracking_plan.yml"
    own.write_text(OWN, encoding="utf-8")
    warehouse = new_warehouse()
    warehouse.add_property("1", "Europe/Berlin")
    warehouse.load("1", {day: {("all", "all"): SENT} for day in DAYS})
    with build_database(warehouse.path) as connection:
        remember_plan(connection, load_plan(shop=own))
    dbt.build(warehouse)
    return warehouse


def test_renamed_events_and_a_key_of_the_shop_s_own_are_counted(built: Warehouse) -> None:
    rows = built.query(
        "select key, sessions, parent_sessions, micro_rate from marts.fct_micro_conversion_daily "
        "where date = ? and key in ('product_view', 'add_to_cart', 'chat') order by key",
        [DAYS[-1]],
    )
    assert rows == [
        ("add_to_cart", 4, 10, 0.4), ("chat", 1, 10, 0.1), ("product_view", 10, 12, 10 / 12),
    ]  # fmt: skip


def test_a_declared_key_and_the_shop_s_own_benchmark(built: Warehouse) -> None:
    assert built.query(
        "select tracking_state, fix from marts.fct_tracking_coverage where key = 'wishlist'"
    ) == [
        ("not_applicable",
         "Declared not applicable in tracking_plan.yml: take it out there once the shop has it."),
    ]  # fmt: skip
    # 40 of 100: the seed's range of 5 to 10 % would call it above.
    assert built.query(
        "select numerator, denominator, benchmark_low, benchmark_high, source, status "
        "from marts.fct_benchmark_comparison where window_name = '28d' "
        "and benchmark_key = 'add_to_cart_rate'"
    ) == [(40, 100, 0.3, 0.5, "Own figures of 2025", "within")]


def test_figures_of_shops_like_this_one(built: Warehouse) -> None:
    """The shop entered two; of the rest it has those of the seed that are of any shop."""
    assert built.query(
        "select statistic, value, denominator_key, is_own, figures from marts.fct_benchmark_figure "
        "where window_name = '28d' and benchmark_key = 'add_to_cart_rate' order by value"
    ) == [
        (statistic, value, "product_view", True,
         "Shopify, no sample stated, March 2026: bottom 25 % 20 %, median 35 %")
        for statistic, value in (("bottom_25", 0.2), ("median", 0.35))
    ]  # fmt: skip
    assert built.query(
        "select source_text, figures from marts.fct_benchmark_comparison "
        "where window_name = '28d' and benchmark_key = 'add_to_cart_rate'"
    ) == [
        (
            "the shop itself, no sample stated, 2026-01-15: Own figures of 2025",
            "Shopify, no sample stated, March 2026: bottom 25 % 20 %, median 35 %",
        )
    ]


def test_no_figure_stands_beside_another_rate(built: Warehouse) -> None:
    beside = (
        "from marts.fct_benchmark_figure as figures inner join marts.fct_benchmark_comparison "
        "as compared using (property_id, window_name, segment_name, segment_value, benchmark_key)"
    )
    same = ("numerator_key", "denominator_key", "unit")
    crossed = " or ".join(f"figures.{one} is distinct from compared.{one}" for one in same)
    assert built.query(f"select count(*) > 3, count(*) filter (where {crossed}) {beside}") == [
        (True, 0)
    ]


def test_an_event_that_looks_renamed_is_suggested(built: Warehouse) -> None:
    assert built.query(
        "select event_name, as_of_date, events_28d, sessions_28d, suggested_key, words, plan_lines "
        "from marts.fct_event_suggestion"
    ) == [
        ("beginCheckout", DAYS[-1], 20, 10, "checkout_start",
         "`beginCheckout` seen 20 times: alias of begin_checkout?",
         "checkout_start: {event_names: [begin_checkout, beginCheckout]}"),
    ]  # fmt: skip


def test_what_to_do_and_when_it_can_be_told(built: Warehouse) -> None:
    """Floor of a checkout: 50 % of the carts, 7 are needed and 40 came. Of a gallery: 1 % of 100
    product views, 459 are needed; 10 a day are 280 in 28 days. Of list views: 120 of 459
    sessions in 10 days; 12 a day are 336 in 28 days."""
    rows = {
        row[0]: row[1:]
        for row in built.query(
            "select key, tracking_state, exposed_sessions_28d, sessions_needed, sessions_missing, "
            "days_to_tell, fix from marts.fct_tracking_coverage"
        )
    }
    state, *numbers, fix = rows["checkout_start"]
    assert (state, numbers) == ("not_tracked", [40, 7, None, None])
    assert fix == (
        "begin_checkout is missing, but beginCheckout came 20 times: if it is the same, take the "
        "line of marts.fct_event_suggestion into tracking_plan.yml."
    )
    assert rows["gallery"][:5] == ("unknown_low_volume", 100, 459, 359, None)
    assert "DebugView" in rows["gallery"][5]
    assert rows["product_view"][0] == "tracked"
    assert rows["product_view"][5] is None
