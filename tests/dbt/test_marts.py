"""The marts of the hand-made shops against numbers worked out on paper."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.dbt import shop
from tests.dbt.conftest import Dbt
from tests.dbt.warehouse import Warehouse


@pytest.fixture(scope="module")
def built(built_shops: Warehouse, tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    return built_shops.copied_to(tmp_path_factory.mktemp("copy"))


def test_in_its_first_days_a_shop_has_no_anomalies(
    dbt: Dbt, built: Warehouse, tmp_path: Path
) -> None:
    """No day is judged before the fourth; of no rows pandas hands over columns that are no text."""
    young = built.copied_to(tmp_path)
    young.query("delete from intermediate.int_anomalies__dated")
    dbt(young, "run", "--select", "int_anomalies__scored", "fct_anomaly")
    assert young.query("select count(*) from marts.fct_anomaly") == [(0,)]


def test_the_unit_tests_of_dbt(dbt: Dbt, built: Warehouse) -> None:
    result = dbt(built, "test", "--select", "test_type:unit")
    assert len(result.result.results) > 50


def funnel_day(
    built: Warehouse, property_id: str, segment_value: str
) -> dict[str, tuple[Any, ...]]:
    rows = built.query(
        "select step_key, reached, previous_reached, step_rate, lost, cumulative_rate, status "
        "from marts.fct_funnel_daily where funnel = 'core' and date = ? and property_id = ? "
        "and segment_value = ? order by step_number",
        [shop.LAST, property_id, segment_value],
    )
    return {row[0]: row[1:] for row in rows}


def test_core_funnel_of_a_day(built: Warehouse) -> None:
    steps = funnel_day(built, shop.STEADY, "all")
    assert list(steps) == ["sessions", "product_view", "add_to_cart", "checkout_start", "purchase"]
    assert steps["sessions"] == (150, None, None, None, 1.0, "entry")
    assert steps["product_view"] == (90, 150, 0.6, 60, 0.6, "measured")
    assert steps["add_to_cart"] == (9, 90, 0.1, 81, 0.06, "measured")
    assert steps["checkout_start"] == pytest.approx((5, 9, 5 / 9, 4, 5 / 150, "measured"))
    assert steps["purchase"] == (3, 5, 0.6, 2, 0.02, "measured")


def test_extended_funnel_joins_around_untracked_steps(built: Warehouse) -> None:
    rows = built.query(
        "select step_key, previous_step_key, is_in_chain from marts.fct_funnel_daily "
        "where funnel = 'extended' and date = ? and property_id = ? and segment_value = 'mobile'",
        [shop.LAST, shop.STEADY],
    )
    chain = {key: previous for key, previous, is_in_chain in rows if is_in_chain}
    assert chain == {
        "sessions": None,
        "product_view": "sessions",
        "add_to_cart": "product_view",
        "checkout_start": "add_to_cart",
        "purchase": "checkout_start",
    }


def test_a_day_without_sessions_is_a_row_of_zeros(built: Warehouse) -> None:
    steps = funnel_day(built, shop.BLIND, "all")
    assert steps["sessions"] == (0, None, None, None, None, "entry")
    assert steps["product_view"] == (0, 0, None, 0, None, "no_denominator")
    assert steps["checkout_start"] == (None, 0, None, None, None, "not_tracked")
    assert steps["purchase"] == (0, None, None, None, None, "not_tracked")


def test_a_missing_checkout_tag_is_never_zero_percent(built: Warehouse) -> None:
    rows = built.query(
        "select benchmark_key, numerator, denominator, rate, ci_low, p_value, shortfall, status "
        "from marts.fct_benchmark_comparison where property_id = ? and window_name = '28d' "
        "and benchmark_key in ('cart_to_checkout_rate', 'checkout_to_purchase_rate') order by 1",
        [shop.BLIND],
    )
    assert rows == [
        # 9 days of 4 carts and 2 orders.
        ("cart_to_checkout_rate", None, 36, None, None, None, None, "not_tracked"),
        ("checkout_to_purchase_rate", 18, None, None, None, None, None, "not_tracked"),
    ]


def test_windows_end_on_the_last_loaded_date(built: Warehouse) -> None:
    rows = built.query(
        "select window_name, window_start, window_end, days_loaded, reached, "
        "prior_reached, prior_days_loaded, step_rate, prior_step_rate, "
        "step_rate_change, is_complete "
        "from marts.fct_funnel_window where property_id = ? and funnel = 'core' "
        "and segment_value = 'desktop' and step_key = 'add_to_cart' order by 1",
        [shop.STEADY],
    )
    # 6 adds of 30 views a day; of the 28 days before, only 7 are loaded: not compared. The last
    # day is a Wednesday: the newest week that is over ended on 1 February, the month a day before.
    assert rows == [
        ("28d", date(2026, 1, 8), shop.LAST, 28, 168, None, 7, 0.2, None, None, True),
        ("7d", date(2026, 1, 29), shop.LAST, 7, 42, 42, 7, 0.2, 0.2, 0.0, True),
        ("month", shop.FIRST, date(2026, 1, 31), 31, 186, None, 0, 0.2, None, None, True),
        ("week", date(2026, 1, 26), date(2026, 2, 1), 7, 42, 42, 7, 0.2, 0.2, 0.0, True),
    ]


def test_benchmark_verdicts(built: Warehouse) -> None:
    rows = built.query(
        "select segment_value, benchmark_key, numerator, denominator, rate, status, shortfall "
        "from marts.fct_benchmark_comparison where property_id = ? and window_name = '28d' "
        "and segment_name in ('all', 'device')",
        [shop.STEADY],
    )
    found = {row[:2]: row[2:] for row in rows}
    # Wilson 60 % of 140: 51.7-67.7 %, inside 50-70 %. 20 % of 840 is far above 10 %.
    assert found["all", "checkout_to_purchase_rate"] == (84, 140, 0.6, "within", 0)
    assert found["desktop", "add_to_cart_rate"] == (168, 840, 0.2, "above", 0)
    # No e-mail address is known by device: a real 0 of 2,800, 28 short of 1 %.
    assert found["mobile", "email_capture_rate"] == (0, 2800, 0.0, "below", 28)


def test_micro_conversions_of_a_day(built: Warehouse) -> None:
    rows = built.query(
        "select key, sessions, events, parent_key, parent_sessions, micro_rate, status "
        "from marts.fct_micro_conversion_daily where property_id = ? and date = ? "
        "and segment_value = 'all' and key in ('email_capture', 'purchase', 'wishlist') order by 1",
        [shop.STEADY, shop.LAST],
    )
    assert rows == [
        ("email_capture", 3, 6, "sessions", 150, 0.02, "measured"),
        ("purchase", 3, 6, "checkout_start", 5, 0.6, "measured"),
        ("wishlist", None, None, "product_view", 90, None, "not_tracked"),
    ]


def test_marts_carry_every_reported_number(built: Warehouse) -> None:
    (counted,) = built.query(
        "select count(*), "
        "count(*) filter (where m.sessions = e.sessions and m.events = e.event_count) "
        "from raw.ga4_events_by_device as e join seeds.micro_conversions as p "
        "on e.event_name = p.event_names left join marts.fct_micro_conversion_daily as m "
        "on m.property_id = e.property_id and m.date = e.date and m.segment_name = 'device' "
        "and m.segment_value = e.device_category and m.key = p.key"
    )
    # Of the gap there is a view on phones.
    assert counted == (69 * 2 * 4 + 1, 69 * 2 * 4 + 1)


def test_properties_never_mix(built: Warehouse) -> None:
    rows = built.query(
        "select property_id, sum(reached) from marts.fct_funnel_daily "
        "where funnel = 'core' and step_number = 0 and segment_name = 'all' group by 1 order by 1"
    )
    assert rows == [(shop.STEADY, 35 * 150), (shop.BLIND, 9 * 80), (shop.GAPPY, 35 * 150)]


def test_tracking_coverage(built: Warehouse) -> None:
    rows = built.query(
        "select key, tracking_state, first_seen_date, sessions_28d, exposed_sessions_28d "
        "from marts.fct_tracking_coverage where property_id = ? "
        "and key in ('add_to_cart', 'checkout_start', 'delivery_done') order by 1",
        [shop.BLIND],
    )
    assert rows == [
        ("add_to_cart", "tracked", shop.BLIND_FIRST, 36, 360),
        ("checkout_start", "not_tracked", None, 0, 36),
        ("delivery_done", "unknown_low_volume", None, 0, 0),
    ]
    (keys,) = built.query("select count(*) from seeds.micro_conversions")
    assert built.query(
        "select property_id, count(*) from marts.fct_tracking_coverage group by 1 order by 1"
    ) == [(name, *keys) for name in shop.PROPERTIES]


def test_completeness_and_products(built: Warehouse) -> None:
    assert built.query(
        "select count(*), bool_and(is_complete), bool_and(maturity = 'provisional') "
        "from marts.fct_data_completeness where property_id = ? and report = 'events_by_device'",
        [shop.STEADY],
    ) == [(35, True, True)]
    assert built.query(
        "select view_to_cart_rate, view_to_purchase_rate, item_revenue, currency "
        "from marts.fct_product_funnel where date = ? and property_id = ?",
        [shop.LAST, shop.STEADY],
    ) == [(0.25, 0.1, 30.0, "EUR")]


def test_every_table_and_column_is_described_in_the_dictionary(built: Warehouse) -> None:
    undescribed = built.query(
        "select table_name, column_name from duckdb_columns() where schema_name = 'marts' except "
        "select table_name, column_name from marts.dim_column where description <> ''"
    )
    assert undescribed == []
    tables = built.query("select distinct table_name, table_description from marts.dim_column")
    assert len(tables) == 47
    assert [name for name, text in tables if not text.startswith("One row per ")] == []


def test_products_and_carts_of_a_window(built: Warehouse) -> None:
    assert built.query(
        "select step_key, units, previous_units, step_rate, status, item_revenue, "
        "prior_units from marts.fct_product_funnel_window "
        "where window_name = '7d' and property_id = ? order by step_number",
        [shop.STEADY],
    ) == [
        ("product_view", 140, None, None, "entry", None, 140),
        ("add_to_cart", 35, 140, 0.25, "measured", None, 35),
        ("checkout_start", 28, 35, 0.8, "measured", None, 28),
        ("purchase", 14, 28, 0.5, "measured", 210.0, 14),
    ]
    # 9 adds, 5 checkouts and 3 orders of 50 a day: 6 lost carts of 50 a day.
    assert built.query(
        "select carts, lost_carts, round(cart_abandonment_rate, 6), checkout_abandonment_rate, "
        "average_order_value, lost_value, recoverable_value, currency, prior_carts "
        "from marts.fct_cart_recovery "
        "where window_name = '7d' and segment_name = 'all' and property_id = ?",
        [shop.STEADY],
    ) == [(63, 42, 0.666667, 0.4, 50.0, 2100.0, 210.0, "EUR", 63)]


def test_a_cart_without_a_checkout_tag(built: Warehouse) -> None:
    assert built.query(
        "select cart_status, cart_abandonment_rate, checkout_status, checkout_abandonment_rate, "
        "lost_checkouts from marts.fct_cart_recovery "
        "where window_name = '7d' and segment_name = 'all' and property_id = ?",
        [shop.BLIND],
    ) == [("measured", 0.5, "not_tracked", None, None)]


def test_readers_get_the_intervals_of_the_literature(built: Warehouse) -> None:
    """Newcombe 1998: Wilson's of 81 of 263, and of 56/70 - 48/80. What is no rate has none."""
    found = built.query(
        "select marts.wilson_low(81, 263), marts.wilson_high(81, 263), "
        "marts.newcombe_low(56, 70, 48, 80), marts.newcombe_high(56, 70, 48, 80), "
        "marts.wilson_low(7, 5), marts.wilson_high(1, 0), marts.newcombe_low(1, 0, 1, 2)"
    )
    assert found[0][:4] == pytest.approx((0.2553, 0.3662, 0.0524, 0.3339), abs=5e-5)
    assert found[0][4:] == (None, None, None)
