"""GA4's reports of a shop that Shopify alone tells of: what is counted, and what is not made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import chain, product
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from jinja2 import Environment

from pipelines.clock import PinnedClock, pin_clock
from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Property, Settings
from pipelines.config.thresholds import day_of
from pipelines.config.tracking_plan import load_plan
from pipelines.ga4.report_catalog import build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Run, ingest
from pipelines.sources.configured import TABLES
from pipelines.sources.shopify.route import (
    KEYS,
    NewestDayMissingError,
    OtherSessionsError,
    OtherShopError,
    ShopifyRoute,
    are_counted_alike,
)
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.fetches import ensure_source_tables

NOW = datetime(2026, 11, 3, 4, tzinfo=UTC)
CLOCK = PinnedClock(NOW, NOW)
LAST = date(2026, 11, 2)
PLAN = load_plan()
REPORTS = {spec.name: spec for spec in build_reports(PLAN)}
OWN = Property(id="5", source="shopify", time_zone="Europe/Berlin", currency="EUR")


@pytest.fixture
def raw(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Two days by device; on the first nobody came by tablet, on the second nobody bought."""
    with build_database(tmp_path / "build.duckdb") as connection:
        ensure_source_tables(connection, chain(*TABLES.values()))
        for day, device, *counts in (
            (LAST - timedelta(days=1), "all", 100, 10, 12, 4),
            (LAST - timedelta(days=1), "mobile", 100, 10, 12, 4),
            (LAST - timedelta(days=1), "tablet", 0, 0, 0, 0),
            (LAST, "all", 90, 9, 5, 0),
            (LAST, "mobile", 60, 9, 5, 0),
            (LAST, "desktop", 30, 0, 0, 0),
        ):
            insert(connection, day, device, counts)
        # Bots count nowhere, and half a day is none.
        insert(connection, LAST, "all", [500, None, None, None], bots="none")
        insert(connection, LAST + timedelta(days=1), "all", [5, 1, 1, 1], is_complete=False)
        connection.execute(
            "insert into raw.shopify_sales (property_id, date, orders, total_sales, currency) "
            "values ('5', ?, 5, 250, 'EUR')",
            [LAST - timedelta(days=1)],
        )
        yield connection


def insert(
    connection: duckdb.DuckDBPyConnection,
    day: date,
    device: str,
    counts: list[int | None],
    *,
    bots: str = "human",
    is_complete: bool = True,
) -> None:
    connection.execute(
        "insert into raw.shopify_sessions (property_id, shop, date, device, bot_filter, sessions, "
        "sessions_with_cart_additions, sessions_that_reached_checkout, "
        "sessions_that_completed_checkout, is_complete, origin) "
        "values ('5', 'a', ?, ?, ?, ?, ?, ?, ?, ?, 'api')",
        [day, device, bots, *counts, is_complete],
    )


def rows(route: ShopifyRoute, report: str, *columns: str) -> list[tuple]:
    pulled = route.pull(REPORTS[report], LAST - timedelta(days=3), LAST, clock=CLOCK)
    assert pulled.route == "shopify"
    assert pulled.partitions["date"].to_pylist() == [LAST - timedelta(days=1), LAST]
    return [
        tuple(row[name] for name in ("date", *columns))
        for row in pulled.rows.select(["date", *columns]).to_pylist()
    ]


def test_its_reports_are_what_shopify_counted(raw: duckdb.DuckDBPyConnection) -> None:
    route = ShopifyRoute.open(raw, OWN, PLAN, LAST)
    first = LAST - timedelta(days=1)
    money = ("sessions", "transactions", "purchase_revenue", "engaged_sessions")
    assert rows(route, "sessions_by_all", *money) == [
        (first, 100, 5, 250.0, None),
        # The day's orders could not be fetched: that is not 0.
        (LAST, 90, None, None, None),
    ]
    assert rows(route, "sessions_by_device", "device_category", *money) == [
        (first, "mobile", 100, None, None, None),
        (LAST, "mobile", 60, None, None, None),
        (LAST, "desktop", 30, None, None, None),
    ]
    assert rows(route, "events_by_all", "event_name", "event_count", "sessions") == [
        (first, "add_to_cart", 10, 10),
        (first, "begin_checkout", 12, 12),
        (first, "purchase", 4, 4),
        (LAST, "add_to_cart", 9, 9),
        (LAST, "begin_checkout", 5, 5),
    ]
    cells = rows(route, "cells", "device_category", "micro_key", "new_vs_returning", "sessions")
    assert (LAST, "desktop", "sessions", "(not told)", 30) in cells
    assert len(cells) == 4 + 3 + 1
    assert rows(route, "micro_by_all", "micro_key") == []


def test_a_step_of_several_events_is_a_composite_key(raw: duckdb.DuckDBPyConnection) -> None:
    micros = tuple(
        replace(micro, event_names=("add_to_cart", "addToCart"))
        if micro.key == "add_to_cart"
        else micro
        for micro in PLAN.micro_conversions
    )
    plan = replace(PLAN, micro_conversions=micros)
    route = ShopifyRoute.open(raw, OWN, plan, LAST)
    assert rows(route, "micro_by_all", "micro_key", "sessions") == [
        (LAST - timedelta(days=1), "add_to_cart", 10),
        (LAST, "add_to_cart", 9),
    ]
    assert {name for _, name in rows(route, "events_by_all", "event_name")} == {
        "begin_checkout",
        "purchase",
    }


def test_there_is_no_report_of_what_shopify_does_not_tell(raw: duckdb.DuckDBPyConnection) -> None:
    def known() -> set[str]:
        route = ShopifyRoute.open(raw, OWN, PLAN, LAST)
        return {name for name, spec in REPORTS.items() if route.knows(spec)}

    whole = {"sessions_by_all", "events_by_all", "micro_by_all"}
    by_device = {"sessions_by_device", "events_by_device", "micro_by_device", "cells"}
    assert known() == whole | by_device
    raw.execute("delete from raw.shopify_sessions where device <> 'all'")
    assert known() == whole


def test_a_night_without_its_last_day_says_why(raw: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(NewestDayMissingError, match=r"complete day is 2026-11-02.*when it has\.$"):
        ShopifyRoute.open(raw, OWN, PLAN, LAST + timedelta(days=1))
    raw.execute(
        "insert into ops.fetches (property_id, table_name, status, message, fetched_at) "
        "values ('5', 'shopify_sessions', 'failed', 'The shop is shut.', now())"
    )
    with pytest.raises(NewestDayMissingError, match=r"2026-11-02\): The shop is shut") as caught:
        ShopifyRoute.open(raw, OWN, PLAN, LAST + timedelta(days=1))
    assert caught.value.exit_code == 75


def test_money_of_another_currency_is_not_the_property_s(raw: duckdb.DuckDBPyConnection) -> None:
    usd = OWN.model_copy(update={"currency": "USD"})
    assert ShopifyRoute.open(raw, usd, PLAN, LAST).sales == {LAST - timedelta(days=1): (5, None)}


@pytest.mark.parametrize(
    ("zone", "currency", "words"),
    [
        ("Asia/Tokyo", "EUR", "The time zone of a is Asia/Tokyo, and that of property 5 Europe/"),
        ("Europe/Berlin", "USD", "property 5 EUR: write 'currency: USD' in its entry in sluice"),
    ],
)
def test_settings_of_another_shop_stop_the_property(
    raw: duckdb.DuckDBPyConnection, zone: str, currency: str, words: str
) -> None:
    fetched = (
        "insert into ops.fetches (property_id, account, table_name, status, time_zone, currency, "
        "fetched_at) values ('5', 'a', 'shopify_sales', ?, ?, ?, ?)"
    )
    raw.execute(fetched, ["loaded", zone, currency, NOW])
    with pytest.raises(OtherShopError, match=words):
        ShopifyRoute.open(raw, OWN, PLAN, LAST)
    # A night that failed tells nothing; one that came later does.
    raw.execute(fetched, ["failed", None, None, NOW + timedelta(days=1)])
    with pytest.raises(OtherShopError, match=words):
        ShopifyRoute.open(raw, OWN, PLAN, LAST)
    raw.execute(fetched, ["loaded", "Europe/Berlin", "EUR", NOW + timedelta(days=2)])
    assert LAST in ShopifyRoute.open(raw, OWN, PLAN, LAST).days


def test_days_of_another_kind_of_session_are_not_put_beside(raw: duckdb.DuckDBPyConnection) -> None:
    for day in (date(2026, 9, 20), date(2026, 9, 22), date(2026, 9, 24)):
        insert(raw, day, "all", [9, 1, 1, 1])
    assert min(ShopifyRoute.open(raw, OWN, PLAN, LAST).days) == date(2026, 9, 24)
    # Also a backfill that ends before would stand beside the days that are there.
    with pytest.raises(OtherSessionsError, match="choose days after 2026-09-23"):
        ShopifyRoute.open(raw, OWN, PLAN, date(2026, 9, 20))
    raw.execute("delete from raw.shopify_sessions where date > date '2026-09-22'")
    assert set(ShopifyRoute.open(raw, OWN, PLAN, date(2026, 9, 22)).days) == {date(2026, 9, 22)}
    assert not are_counted_alike(date(2026, 9, 22), date(2026, 9, 23))


def test_the_macros_say_the_same() -> None:
    """Which keys Shopify tells of, and which days are put beside one another."""
    source = (DBT_PROJECT_DIR / "macros" / "second_sources.sql").read_text()
    macros = Environment(autoescape=False).from_string(source, {"var": day_of}).module
    days = [date(2026, 9, 18) + timedelta(days=number) for number in range(9)]
    told = dict(
        duckdb.from_arrow(pa.table({"day": days}))
        .select(f"day, {macros.shopify_session_definition('day')}")
        .fetchall()
    )
    keys = {micro.key for micro in PLAN.micro_conversions} | {"sessions"}
    is_told = macros.is_told_by_shopify("key")
    assert {
        key
        for (key,) in duckdb.from_arrow(pa.table({"key": sorted(keys)})).filter(is_told).fetchall()
    } == set(KEYS.values())
    assert set(told.values()) == {"until_midnight", "changing", "until_idle"}
    for one, other in product(days, days):
        is_alike = told[one] == told[other] != "changing"
        assert are_counted_alike(one, other) == (one == other or is_alike), (one, other)


def test_a_run_counts_what_is_there_and_says_what_is_not(tmp_path: Path) -> None:
    """A gap in the reports: GA4 is not asked, the days around it are loaded, the gap is skipped."""
    settings = Settings(
        home=tmp_path / "home",
        properties=(OWN,),
        shopify=(Shopify(shop="a.myshopify.com", property="5", csv=tmp_path / "no.csv"),),
    )
    pin_clock(settings.home, NOW, ["5"])
    gap = LAST - timedelta(days=1)
    with build_database(settings.build_db) as connection:
        ensure_source_tables(connection, chain(*TABLES.values()))
        for day in (LAST - timedelta(days=2), LAST):
            insert(connection, day, "all", [100, 10, 12, 4])
    window = DayWindow(LAST - timedelta(days=3), LAST)
    outcome = ingest(settings, None, tuple(REPORTS.values()), window, Run("r", "test"))
    assert (outcome.failures, outcome.problems) == ({}, {})
    with build_database(settings.build_db) as connection:
        pulls = connection.execute(
            "select report, date, status, route from ops.pulls order by all"
        ).fetchall()
        sessions = connection.execute(
            "select date, sessions from raw.ga4_sessions_by_all order by date"
        ).fetchall()
        about = connection.execute("select source, time_zone from ops.properties").fetchall()
    assert pulls == [
        (report, day, *ending)
        for report in ("events_by_all", "micro_by_all", "sessions_by_all")
        for day, ending in (
            (LAST - timedelta(days=2), ("loaded", "shopify")),
            (gap, ("skipped", None)),
            (LAST, ("loaded", "shopify")),
        )
    ]
    assert sessions == [(LAST - timedelta(days=2), 100), (LAST, 100)]
    assert about == [("shopify", "Europe/Berlin")]

    with pytest.raises(NewestDayMissingError, match="Shopify has not told 2026-11-03"):
        late = DayWindow(LAST + timedelta(days=1), LAST + timedelta(days=1))
        pin_clock(settings.home, NOW + timedelta(days=1), ["5"])
        ingest(settings, None, tuple(REPORTS.values()), late, Run("s", "test"))
