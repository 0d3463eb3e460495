"""Shopify beside GA4 through whole nights: what readers get, what a failure leaves, what leaks."""

from __future__ import annotations

import json

from pipelines.config.settings import Settings
from pipelines.emulator.shopify import TOKEN
from tests.e2e.scenarios import CSV_ONLY, SHOPIFY_ONLY, ScenarioShops
from tests.e2e.shop import PROPERTY, Shop, published_rows

# How many more than the truth Shopify sees, in percent (docs/emulator.md).
MORE = {"sessions": 25, "add_to_cart": 18, "checkout_start": 15, "purchase": 12}


def test_readers_get_shopifys_count(shop: Shop, published_home: Settings) -> None:
    """The truth and those whom no tag sees, of every device and of all of them."""
    rows = [
        *({**row, "key": "sessions"} for row in shop.truth("sessions").to_pylist()),
        *shop.truth("keys").to_pylist(),
    ]
    wanted: dict[tuple[str, str], int] = {}
    for row in rows:
        if row["segment_name"] == "device" and row["key"] in MORE:
            cell = row["segment_value"], row["key"]
            wanted[cell] = wanted.get(cell, 0) + row["sessions"]
    wanted = {
        (device, key): count + (count * MORE[key] + 50) // 100
        for (device, key), count in wanted.items()
    }
    for key in MORE:
        wanted["all", key] = sum(count for (_, own), count in wanted.items() if own == key)
    told = published_rows(
        published_home,
        "select device, step_key, sum(sessions)::int from marts.fct_shopify_funnel_daily "
        "where property_id = ? and is_complete group by all",
        [PROPERTY],
    )
    ((last, ratios),) = published_rows(
        published_home,
        "select max(date), count(*) from marts.fct_reconciliation where source_a = 'shopify' "
        "and source_b = 'data_api' and value_a is not null and value_b is not null "
        "and ratio is not distinct from value_b / nullif(value_a, 0)",
    )
    assert {(device, key): count for device, key, count in told} == wanted
    # Three days may still grow; of the 28 before them every step is there.
    assert (shop.window.end - last).days == 3
    assert ratios == 28 * 4


def test_a_night_goes_on_without_shopify(earlier_home: Settings, published_home: Settings) -> None:
    """It refused the token in the one night, and answered in the next."""
    fetches = published_rows(
        earlier_home, "select distinct status, message from ops.fetches order by all"
    )
    warned = published_rows(
        earlier_home,
        "select distinct expectation, severity from ops.gate_results "
        "where not is_success and table_name like 'raw.shopify%'",
    )
    rows = published_rows(earlier_home, "select count(*) from marts.fct_shopify_funnel_daily")
    refused = "Shopify's demo-shop.myshopify.com does not accept the token"
    assert [(status, refused in words) for status, words in fetches] == [("failed", True)]
    assert warned == [("last_fetch_was_loaded", "warning")]
    assert rows == [(0,)]
    page = (earlier_home.published_dir / "current" / "report.html").read_text(encoding="utf-8")
    assert "does not accept the token" in page
    after = published_rows(
        published_home,
        "select table_name, list(status order by fetched_at) from ops.fetches "
        "where source = 'shopify' group by all order by all",
    )
    tables = ("shopify_checkouts", "shopify_sales", "shopify_sessions")
    assert after == [(name, ["failed", "loaded"]) for name in tables]
    page = (published_home.published_dir / "current" / "report.html").read_text(encoding="utf-8")
    assert "Shopify’s funnel" in page or "Shopify&#39;s funnel" in page
    assert "does not accept the token" not in page


def test_the_token_is_nowhere(published_home: Settings) -> None:
    files = [path for path in published_home.home.rglob("*") if path.is_file()]
    assert len(files) > 50
    leaked = [path for path in files if TOKEN.encode() in path.read_bytes()]
    assert leaked == []


def test_shopify_alone_runs_to_a_page_and_finds_the_leak(scenarios: ScenarioShops) -> None:
    """The payment broke on phones: found there, of the sessions that Shopify counted."""
    found = scenarios.query(
        "select step_key, scope, state from marts.fct_finding "
        f"where property_id = '{SHOPIFY_ONLY}' order by finding_rank"
    )
    assert [(step, json.loads(scope)) for step, scope, _ in found[:1]] == [
        ("purchase", [{"segment_name": "device", "segment_value": "mobile"}])
    ]
    rates = scenarios.query(
        "select benchmark_key, numerator, denominator, status from marts.fct_benchmark_comparison "
        f"where property_id = '{SHOPIFY_ONLY}' and window_name = '28d' and segment_name = 'all' "
        "and source_kind <> 'own_history' and denominator is not null order by all"
    )
    counts = dict(
        scenarios.query(
            "select step_key, sum(sessions)::int from marts.fct_shopify_funnel_daily "
            f"where property_id = '{SHOPIFY_ONLY}' and device = 'all' and date >= '2026-06-03' "
            "group by all"
        )
    )
    compared = {key: (numerator, denominator) for key, numerator, denominator, _ in rates}
    assert compared["add_to_cart_per_session"] == (counts["add_to_cart"], counts["sessions"])
    assert compared["checkout_to_purchase_rate"] == (counts["purchase"], counts["checkout_start"])
    # Nobody told of views of products: that is no 0 %.
    assert "add_to_cart_rate" not in compared
    states = scenarios.query(
        "select step_key, tracking_state, reached from marts.fct_funnel_window "
        f"where funnel = 'core' and property_id = '{SHOPIFY_ONLY}' and window_name = '28d' "
        "and segment_name = 'all' "
        "order by step_number"
    )
    assert [(key, state) for key, state, _ in states] == [
        ("sessions", "tracked"),
        ("product_view", "not_applicable"),
        ("add_to_cart", "tracked"),
        ("checkout_start", "tracked"),
        ("purchase", "tracked"),
    ]
    assert {key: reached for key, _, reached in states if reached is not None} == counts
    assert scenarios.query(
        "select distinct fix from marts.fct_tracking_coverage "
        f"where property_id = '{SHOPIFY_ONLY}' and key = 'product_view'"
    ) == [("Shopify does not tell it: with GA4 beside it, view_item would.",)]
    # There is nothing to hold it against.
    assert scenarios.query(
        f"select count(*) from marts.fct_reconciliation where property_id = '{SHOPIFY_ONLY}'"
    ) == [(0,)]
    page = (scenarios.settings.published_dir / "current" / "report.html").read_text("utf-8")
    assert f'id="p-{SHOPIFY_ONLY}"' in page


def test_a_dropped_report_alone_runs_to_a_page(scenarios: ScenarioShops) -> None:
    """The same counts as by the API, without devices and without orders."""
    by_way = scenarios.query(
        "select step_key, list(reached order by property_id) from marts.fct_funnel_window "
        f"where property_id in ('{SHOPIFY_ONLY}', '{CSV_ONLY}') and funnel = 'core' "
        "and window_name = '28d' and segment_name = 'all' and reached is not null group by all"
    )
    assert len(by_way) == 4
    assert all(by_api == by_report > 0 for _, (by_api, by_report) in by_way)
    assert scenarios.query(
        "select distinct segment_name, transactions is null, purchase_revenue is null "
        f"from marts.fct_sales_daily where property_id = '{CSV_ONLY}' and date >= '2026-06-03'"
    ) == [("all", True, True)]
    found = scenarios.query(
        "select step_key, scope, currency from marts.fct_finding "
        f"where property_id = '{CSV_ONLY}' and finding_rank = 1"
    )
    assert [(step, json.loads(scope), currency) for step, scope, currency in found] == [
        ("purchase", [], None)
    ]
    page = (scenarios.settings.published_dir / "current" / "report.html").read_text("utf-8")
    assert f'id="p-{CSV_ONLY}"' in page
