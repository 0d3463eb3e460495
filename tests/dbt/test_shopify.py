"""Shopify beside GA4: its own funnel, the ratio of the two, and the break of September 2026."""

from datetime import UTC, date, datetime, timedelta

import pytest

from tests.dbt.test_reconciliation import LAST, days, shop_day
from tests.dbt.warehouse import Warehouse

# GA4 loses a third of the orders from FAULT on, Shopify none.
MAIN, FAULT = "81", LAST - timedelta(days=5)
# Its weeks lie around the days on which Shopify changed what a session is.
BROKEN, BROKEN_LAST = "82", date(2026, 10, 15)
STEPS = ("sessions", "add_to_cart", "checkout_start", "purchase")
FETCHED = datetime(2026, 10, 16, 4, tzinfo=UTC)


def shopify_days(warehouse: Warehouse, property_id: str, dates: list[date]) -> None:
    """5,000 sessions a day, 2,000 of them by phone, and as many with bots again."""
    cells = {
        ("all", "human"): (5_000, 500, 625, 75),
        ("desktop", "human"): (3_000, 400, 400, 50),
        ("mobile", "human"): (2_000, 100, 225, 25),
        ("all", "none"): (6_500, None, None, None),
    }
    shop = f"shop-{property_id}.myshopify.com"
    for (device, bots), counts in cells.items():
        warehouse.query(
            "insert into raw.shopify_sessions (property_id, fetch_id, fetched_at, shop, date, "
            "device, bot_filter, sessions, sessions_with_cart_additions, "
            "sessions_that_reached_checkout, sessions_that_completed_checkout, is_complete, "
            "origin) select ?, 'f', ?, ?, unnest(?::date[]), ?, ?, ?, ?, ?, ?, true, 'api'",
            [property_id, FETCHED, shop, dates, device, bots, *counts],
        )
    warehouse.query(
        "insert into raw.shopify_sales (property_id, fetch_id, fetched_at, shop, date, orders, "
        "net_sales, total_sales, currency) "
        "select ?, 'f', ?, ?, unnest(?::date[]), 76, 3000, 3600, 'EUR'",
        [property_id, FETCHED, shop, dates],
    )
    warehouse.query(
        "insert into raw.shopify_checkouts (property_id, fetch_id, fetched_at, shop, date, "
        "abandoned, recovered, abandoned_value, currency) "
        "select ?, 'f', ?, ?, unnest(?::date[]), 300, 30, 15000, unnest(['USD', 'EUR'])",
        [property_id, FETCHED, shop, dates[-2:]],
    )


def fill(warehouse: Warehouse) -> None:
    warehouse.add_property(MAIN, "Europe/Berlin")
    warehouse.load(MAIN, {day: shop_day(4_000, 60 if day < FAULT else 40) for day in days(93)})
    shopify_days(warehouse, MAIN, days(93))
    warehouse.add_property(BROKEN, "Europe/Berlin")
    around = [BROKEN_LAST - timedelta(days=back) for back in reversed(range(93))]
    warehouse.load(BROKEN, {day: shop_day(4_000, 60) for day in around})
    shopify_days(warehouse, BROKEN, around)


def test_its_funnel_is_open_and_its_shares_are_of_all_sessions(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select device, step_key, sessions, all_sessions, session_share, sessions_with_bots, "
        "ci_low < session_share and session_share < ci_high, session_definition "
        "from marts.fct_shopify_funnel_daily where property_id = ? and date = ? "
        "order by device, step_number",
        [MAIN, LAST],
    )
    when = "until_midnight"
    assert rows == [
        ("all", "sessions", 5_000, 5_000, 1.0, 6_500, False, when),
        ("all", "add_to_cart", 500, 5_000, 0.1, None, True, when),
        # More than the carts before it.
        ("all", "checkout_start", 625, 5_000, 0.125, None, True, when),
        ("all", "purchase", 75, 5_000, 0.015, None, True, when),
        ("desktop", "sessions", 3_000, 3_000, 1.0, None, False, when),
        ("desktop", "add_to_cart", 400, 3_000, pytest.approx(2 / 15), None, True, when),
        ("desktop", "checkout_start", 400, 3_000, pytest.approx(2 / 15), None, True, when),
        ("desktop", "purchase", 50, 3_000, pytest.approx(1 / 60), None, True, when),
        ("mobile", "sessions", 2_000, 2_000, 1.0, None, False, when),
        ("mobile", "add_to_cart", 100, 2_000, 0.05, None, True, when),
        ("mobile", "checkout_start", 225, 2_000, 0.1125, None, True, when),
        ("mobile", "purchase", 25, 2_000, 0.0125, None, True, when),
    ]


def test_its_sales_stand_beside_the_checkouts_of_the_days_that_were_listed(
    hand_made: Warehouse,
) -> None:
    rows = hand_made.query(
        "select date, orders, total_sales, abandoned_checkouts, recovered_checkouts, "
        "abandoned_value, currency "
        "from marts.fct_shopify_sales_daily where property_id = ? and date >= ? order by date",
        [MAIN, LAST - timedelta(days=2)],
    )
    assert rows == [
        (LAST - timedelta(days=2), 76, 3_600, None, None, None, "EUR"),
        # Dollars are not called euros.
        (LAST - timedelta(days=1), 76, 3_600, 300, 30, None, "EUR"),
        (LAST, 76, 3_600, 300, 30, 15_000, "EUR"),
    ]


def test_the_ratio_is_ga4_of_shopify_and_an_alert_where_it_moves(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select source_a, source_b, step_key, value_a, value_b, ratio, usual_ratio, status "
        "from marts.fct_reconciliation where property_id = ? and date = ? order by step_number",
        [MAIN, FAULT + timedelta(days=2)],
    )
    pair = ("shopify", "data_api")
    assert rows == [
        (*pair, "sessions", 5_000, 4_000, 0.8, pytest.approx(0.8, abs=1e-3), "usual"),
        (*pair, "add_to_cart", 500, 400, 0.8, pytest.approx(0.8, abs=1e-3), "usual"),
        (*pair, "checkout_start", 625, 200, 0.32, pytest.approx(0.32, abs=1e-3), "usual"),
        (*pair, "purchase", 75, 40, pytest.approx(40 / 75), pytest.approx(0.8, abs=1e-3), "moved"),
    ]
    ((metric, message),) = hand_made.query(
        "select metric, message from marts.fct_anomaly "
        "where property_id = ? and segment_name = 'source' and is_news",
        [MAIN],
    )
    assert metric == "purchase / purchase"
    # 60, 40 and 40 of three times 75.
    assert "data_api has 62.2 % of the larger count instead of about 80.0 %" in message
    assert "Likely more visitors deny consent or block scripts" in message


def test_nothing_is_compared_across_the_break(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select date, status, usual_ratio from marts.fct_reconciliation "
        "where property_id = ? and step_key = 'purchase' order by date",
        [BROKEN],
    )
    before = {status for day, status, _ in rows if day <= date(2026, 9, 23)}
    after = {(status, usual) for day, status, usual in rows if day > date(2026, 9, 23)}
    assert (before, after) == ({"series_break"}, {("learning", None)})
    found = hand_made.query(
        "select min(date), max(date) from intermediate.int_anomalies__dated "
        "where property_id = ? and source is not null",
        [BROKEN],
    )
    assert found == [(date(2026, 9, 24), BROKEN_LAST - timedelta(days=3))]


def test_every_mark_of_the_break_is_on_its_days(hand_made: Warehouse) -> None:
    rows = hand_made.query(
        "select session_definition, min(date), max(date) from marts.fct_shopify_funnel_daily "
        "where property_id = ? group by all order by 2",
        [BROKEN],
    )
    assert rows == [
        ("until_midnight", BROKEN_LAST - timedelta(days=92), date(2026, 9, 20)),
        ("changing", date(2026, 9, 21), date(2026, 9, 23)),
        ("until_idle", date(2026, 9, 24), BROKEN_LAST),
    ]
