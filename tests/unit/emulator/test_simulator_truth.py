"""truth.json against a recount of the Parquet in plain SQL, and the planted leaks against it."""

from __future__ import annotations

import json
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.emulator.simulator import (
    SCENARIOS,
    Leak,
    SimulationError,
    attention,
    read_leak,
    simulate,
)

pytestmark = pytest.mark.slow

START = date(2026, 10, 1)
SEGMENTS = {
    "all": "'all'",
    "device": "device",
    "channel": "channel",
    "country": "country",
    "visitor": "visitor",
}
# The default benchmarks: numerator key, denominator key, low, high.
BENCHMARKS = {
    "add_to_cart_rate": ("add_to_cart", "product_view", 0.05, 0.10),
    "cart_to_checkout_rate": ("checkout_start", "add_to_cart", 0.50, 0.60),
    "checkout_to_purchase_rate": ("purchase", "checkout_start", 0.50, 0.70),
    "email_capture_rate": ("email_capture", "sessions", 0.01, 0.03),
}
KEYS_WITH_A_RULE = {
    "home_view": "event_name = 'page_view' and page_type = 'home'",
    "home_scroll_fold": "event_name = 'scroll_depth' and page_type = 'home'",
    "product_scroll_50": "event_name = 'scroll_depth' and page_type = 'product' and percent >= 50",
    "promotion_view": "event_name = 'view_promotion'",
    "hero_click": "event_name = 'select_promotion'",
    "product_view": "event_name = 'view_item'",
    "review_scroll": "event_name = 'review_section_view'",
    "video_play": "event_name in ('product_video_play', 'video_start')",
    "email_capture": "event_name in "
    "('generate_lead', 'sign_up', 'newsletter_signup', 'back_in_stock_signup')",
    "checkout_start": "event_name = 'begin_checkout'",
    "payment_method": "event_name = 'add_payment_info'",
}
CORE_KEYS = ("product_view", "add_to_cart", "checkout_start", "purchase")
CUBES = {
    "device_channel_visitor": "device, channel, visitor, '(all)'",
    "device_country": "device, '(all)', '(all)', country",
}
FLAT = """
create table flat as
select
    strptime(event_date, '%Y%m%d')::date::varchar as day,
    event_name, event_timestamp, items, ecommerce,
    user_pseudo_id || '/' || {p}'ga_session_id')[1].value.int_value as session_key,
    {p}'session_engaged')[1].value.string_value = '1' as is_engaged,
    {p}'page_type')[1].value.string_value as page_type,
    {p}'percent_scrolled')[1].value.int_value as percent,
    device.category as device,
    geo.country as country,
    session_traffic_source_last_click.cross_channel_campaign.default_channel_group as channel,
    if({p}'ga_session_number')[1].value.int_value = 1, 'new', 'returning') as visitor,
    event_name = 'purchase' and row_number() over (
        partition by event_name, ecommerce.transaction_id order by event_timestamp
    ) = 1 as is_order
from read_parquet('{folder}/events_*.parquet')
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("truth") / "shop"
    with pytest.MonkeyPatch.context() as patch:
        # Enough reloaded confirmations for three days to have some on every date.
        patch.setattr(attention, "_REPEATED_ORDER_SHARE", 0.3)
        simulate(folder, start=START, days=3, sessions_per_day=1500, scenario="shipping_shock")
    return folder


@pytest.fixture(scope="module")
def flat(shop: Path) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    prefix = "list_filter(event_params, p -> p.key = "
    connection.execute(FLAT.format(folder=shop, p=prefix))
    return connection


def truth_of(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "truth.json").read_text()))


def rows_of(truth: dict[str, Any], table: str) -> list[tuple[Any, ...]]:
    return sorted(tuple(row) for row in truth[table]["rows"])


def test_session_rows_equal_a_recount(shop: Path, flat: duckdb.DuckDBPyConnection) -> None:
    counted: list[tuple[Any, ...]] = []
    orders = "count(*) filter (where event_name = 'purchase'), count(*) filter (where is_order)"
    purchases, first = flat.execute(f"select {orders} from flat").fetchall()[0]
    assert purchases > first > 0
    for name, column in SEGMENTS.items():
        counted += flat.execute(
            f"""
            select day, '{name}', {column},
                count(distinct session_key),
                count(distinct session_key) filter (where is_engaged),
                count(*) filter (where is_order),
                round(coalesce(sum(ecommerce.purchase_revenue) filter (where is_order), 0), 2),
                count(*) filter (where event_name = 'page_view')
            from flat group by all
            """
        ).fetchall()
    assert rows_of(truth_of(shop), "sessions") == sorted(counted)


def test_cell_rows_equal_a_recount(shop: Path, flat: duckdb.DuckDBPyConnection) -> None:
    keys = {key: KEYS_WITH_A_RULE.get(key, f"event_name = '{key}'") for key in CORE_KEYS}
    counted: list[tuple[Any, ...]] = []
    for cube, cell in CUBES.items():
        for key, rule in {"sessions": "true", **keys}.items():
            counted += flat.execute(
                f"select day, '{cube}', {cell}, '{key}', count(distinct session_key) "
                f"from flat where {rule} group by all"
            ).fetchall()
    assert rows_of(truth_of(shop), "cells") == sorted(counted)


def test_event_rows_equal_a_recount(shop: Path, flat: duckdb.DuckDBPyConnection) -> None:
    counted: list[tuple[Any, ...]] = []
    for name, column in SEGMENTS.items():
        counted += flat.execute(
            f"""
            select day, '{name}', {column}, event_name, count(*), count(distinct session_key)
            from flat group by all
            """
        ).fetchall()
    assert rows_of(truth_of(shop), "events") == sorted(counted)


def test_key_rows_equal_a_recount(shop: Path, flat: duckdb.DuckDBPyConnection) -> None:
    counted: list[tuple[Any, ...]] = []
    for key, rule in KEYS_WITH_A_RULE.items():
        for name, column in SEGMENTS.items():
            counted += flat.execute(
                f"""
                select day, '{name}', {column}, '{key}', count(*), count(distinct session_key)
                from flat where {rule} group by all
                """
            ).fetchall()
    keys = rows_of(truth_of(shop), "keys")
    assert [row for row in keys if row[3] in KEYS_WITH_A_RULE] == sorted(counted)
    assert len({row[3] for row in keys}) == 30


def test_item_rows_equal_a_recount(shop: Path, flat: duckdb.DuckDBPyConnection) -> None:
    counted = flat.execute(
        """
        select day, item.item_id, item.item_name,
            coalesce(sum(units) filter (where event_name = 'view_item'), 0)::bigint,
            coalesce(sum(units) filter (where event_name = 'add_to_cart'), 0)::bigint,
            coalesce(sum(units) filter (where event_name = 'begin_checkout'), 0)::bigint,
            coalesce(sum(units) filter (where is_order), 0)::bigint,
            round(coalesce(sum(item.price * item.quantity) filter (where is_order), 0), 2)
        from (
            select day, event_name, is_order, item, coalesce(item.quantity, 1) as units
            from flat, unnest(items) as t(item)
        )
        group by all
        having count(*) filter (
            where event_name in ('view_item', 'add_to_cart', 'begin_checkout') or is_order
        ) > 0
        """
    ).fetchall()
    assert rows_of(truth_of(shop), "items") == sorted(counted)


def test_header_says_what_was_planted(shop: Path) -> None:
    truth = truth_of(shop)
    assert truth["schema_version"] == 1
    assert (truth["start"], truth["end"]) == ("2026-10-01", "2026-10-03")
    assert truth["leaks"] == [
        {
            "name": "shipping_shock",
            "benchmark_key": "cart_to_checkout_rate",
            "step_key": "checkout_start",
            "scope": [],
            # The leak reaches back 28 days, further than these three.
            "start_date": "2026-10-01",
            "end_date": "2026-10-03",
            "multiplier": 0.45,
        }
    ]


Cell = tuple[str, str, str]


def window_cells(folder: Path) -> dict[Cell, tuple[int, int]]:
    """Numerator and denominator sessions of every segment value x benchmark, all dates."""
    truth = truth_of(folder)
    reach: Counter[Cell] = Counter()
    for _, name, value, sessions, *_ in truth["sessions"]["rows"]:
        reach[name, value, "sessions"] += sessions
    for _, name, value, key, _, sessions in truth["keys"]["rows"]:
        reach[name, value, key] += sessions
    return {
        (name, value, benchmark): (reach[name, value, above], reach[name, value, below])
        for name, value, key in list(reach)
        if key == "sessions"
        for benchmark, (above, below, _, _) in BENCHMARKS.items()
    }


def simulate_month(
    folder: Path, scenario: str, sessions_a_day: int = 1000
) -> dict[Cell, tuple[int, int]]:
    simulate(
        folder, start=date(2026, 9, 1), days=28, scenario=scenario, sessions_per_day=sessions_a_day
    )
    return window_cells(folder)


def test_a_healthy_shop_lies_inside_every_benchmark(tmp_path: Path) -> None:
    cells = simulate_month(tmp_path / "shop", "none")
    views = cells["all", "all", "add_to_cart_rate"][1]
    assert cells["all", "all", "email_capture_rate"][1] == pytest.approx(28_000, rel=0.1)
    assert views == pytest.approx(16_000, rel=0.1)
    for (name, value, benchmark), (hits, base) in cells.items():
        low, high = BENCHMARKS[benchmark][2:]
        if name == "all":
            assert low < hits / base < high
        if base >= 300:
            noise = 2.5 * (low * (1 - low) / base) ** 0.5
            assert hits / base > low - noise, (name, value, benchmark)


# Whose leak is open to the end, in one value of one dimension or the whole shop.
PLAIN = ("mobile_payment_broken", "shipping_shock", "weak_product_page")


@pytest.mark.parametrize("scenario", PLAIN)
def test_the_planted_leak_is_the_largest_shortfall(tmp_path: Path, scenario: str) -> None:
    cells = simulate_month(tmp_path / "shop", scenario, sessions_a_day=400)
    shortfall = {
        cell: max(0.0, BENCHMARKS[cell[2]][2] * base - hits) for cell, (hits, base) in cells.items()
    }
    leak = SCENARIOS[scenario].leaks[0]
    planted = (*leak.segment, leak.benchmark_key)
    assert max(shortfall, key=lambda cell: shortfall[cell]) == planted
    hits, base = cells[planted]
    low = BENCHMARKS[leak.benchmark_key][2]
    assert hits / base < low - 4 * (low * (1 - low) / base) ** 0.5


def test_a_leak_opens_on_its_date(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    simulate(folder, start=START, days=22, sessions_per_day=400, scenario="mobile_payment_broken")
    truth = truth_of(folder)
    assert truth["leaks"][0]["start_date"] == "2026-10-03"
    rows = [
        (day, key, sessions)
        for day, _, value, key, _, sessions in truth["keys"]["rows"]
        if value == "mobile" and key in ("checkout_start", "purchase")
    ]
    reach: Counter[tuple[bool, str]] = Counter()
    for day, key, sessions in rows:
        reach[day < "2026-10-03", key] += sessions
    assert reach[True, "purchase"] / reach[True, "checkout_start"] > 0.4
    assert reach[False, "purchase"] / reach[False, "checkout_start"] < 0.15


def test_a_leak_of_two_conditions_between_two_dates(tmp_path: Path) -> None:
    """Nobody of Paid Search on mobile adds from 14 to 20 September; everybody else does."""
    folder = tmp_path / "shop"
    leak = read_leak("add_to_cart*0 device=mobile channel=Paid Search 2026-09-14..2026-09-20")
    simulate(folder, start=date(2026, 9, 7), days=21, leaks=(leak,), sessions_per_day=800)
    adds = duckdb.sql(
        "select device.category = 'mobile' and "
        "session_traffic_source_last_click.cross_channel_campaign.default_channel_group "
        "= 'Paid Search' as is_inside, event_date between '20260914' and '20260920' as is_open, "
        f"count(*) from '{folder}/events_*.parquet' where event_name = 'add_to_cart' group by all"
    ).fetchall()
    counts = {(inside, opened): count for inside, opened, count in adds}
    # A session over midnight keeps the plan of the day it began on.
    assert counts.get((True, True), 0) <= 1
    assert all(counts[case] > 20 for case in ((True, False), (False, True), (False, False)))
    planted = truth_of(folder)["leaks"]
    assert planted == [
        {
            "name": "chosen", "benchmark_key": "add_to_cart_rate", "step_key": "add_to_cart",
            "scope": [["device", "mobile"], ["channel", "Paid Search"]],
            "start_date": "2026-09-14", "end_date": "2026-09-20", "multiplier": 0.0,
        }
    ]  # fmt: skip


def test_leaks_as_text() -> None:
    assert read_leak("purchase*0.12") == Leak(
        "chosen", "checkout_to_purchase_rate", "purchase", 0.12
    )
    open_end = read_leak("checkout_start*.4 country=United Kingdom 2026-05-01..")
    assert open_end.scope == (("country", "United Kingdom"),)
    assert (open_end.first, open_end.last) == (date(2026, 5, 1), None)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "cannot be read"),
        ("purchase", "cannot be read"),
        ("buy*0.5", "cannot be read"),
        ("purchase*2", "cannot be read"),
        ("purchase*-1", "cannot be read"),
        ("purchase*0.5 device=fridge", "choose one of mobile, desktop, tablet"),
        ("purchase*0.5 planet=Mars", "choose one of all, device, channel, country, visitor"),
        ("purchase*0.5 device=mobile 2026-02-30", "which there is not"),
    ],
)
def test_a_leak_that_cannot_be_planted(text: str, told: str) -> None:
    with pytest.raises(SimulationError, match=told):
        read_leak(text)


def test_a_missing_tag_sends_no_row_but_the_shop_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    simulate(folder, start=START, days=3, scenario="checkout_tag_missing")
    counts = dict(
        duckdb.sql(
            f"select event_name, count(*) from '{folder}/events_*.parquet' group by 1"
        ).fetchall()
    )
    assert "begin_checkout" not in counts
    assert counts["add_contact_info"] > counts["purchase"] > 0
    truth = truth_of(folder)
    assert truth["missing_events"] == ["begin_checkout"]
    assert truth["leaks"] == []
    assert not [row for row in truth["keys"]["rows"] if row[3] == "checkout_start"]
    assert {row[5] for row in truth["items"]["rows"]} == {0}
