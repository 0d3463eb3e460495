"""Second sources at the gates: what is wrong with one is said, and blocks nobody."""

from __future__ import annotations

from datetime import UTC, datetime

import duckdb
import pytest

from data_checks import run_gate
from tests.support.checked_warehouse import PROPERTIES, WINDOW, build_warehouse
from tests.support.hand_clock import MORNING

pytestmark = pytest.mark.slow

AT = datetime(2026, 3, 5, 4, tzinfo=UTC)
RAW, STAGED = "raw.shopify_sessions", "staging.stg_shopify__sessions"
FUNNEL = "marts.fct_shopify_funnel_daily"


@pytest.fixture
def shop() -> duckdb.DuckDBPyConnection:
    """Four days of property 100, by device, as they come through the layers."""
    connection = build_warehouse()
    connection.execute(
        """
        create table raw.shopify_sessions as
        select '100' as property_id, 'f1' as fetch_id, date::date as date, device,
            'human' as bot_filter, sessions, sessions // 10 as sessions_with_cart_additions,
            sessions // 20 as sessions_that_reached_checkout,
            sessions // 50 as sessions_that_completed_checkout
        from range(date '2026-03-01', date '2026-03-05', interval 1 day) as days (date)
        cross join (values ('all', 300), ('mobile', 200), ('desktop', 100))
            as cells (device, sessions);
        create table staging.stg_shopify__sessions as
        select property_id, date, device, bot_filter,
            unnest(['sessions', 'add_to_cart', 'checkout_start', 'purchase']) as step_key,
            unnest([sessions, sessions_with_cart_additions, sessions_that_reached_checkout,
                sessions_that_completed_checkout]) as sessions
        from raw.shopify_sessions;
        create table marts.fct_shopify_funnel_daily as
        select property_id, date, device, step_key, sessions,
            max(sessions) over (partition by date, device) as all_sessions,
            sessions / all_sessions as session_share, greatest(0, session_share - 0.01) as ci_low,
            least(1, session_share + 0.01) as ci_high
        from staging.stg_shopify__sessions
        """
    )
    fetched(connection, "f1", "loaded", 12)
    return connection


def fetched(
    connection: duckdb.DuckDBPyConnection, fetch_id: str, status: str, rows: int, hour: int = 4
) -> None:
    connection.execute(
        "insert into ops.fetches (property_id, fetch_id, table_name, status, row_count, fetched_at)"
        " values ('100', ?, 'shopify_sessions', ?, ?, ?)",
        [fetch_id, status, rows, AT.replace(hour=hour)],
    )


def said(connection: duckdb.DuckDBPyConnection, gate: str) -> set[tuple[str, str]]:
    """(table, expectation) that fails; nothing of it blocks."""
    report = run_gate(
        gate, connection, window=WINDOW, run_id="r", properties=PROPERTIES, now=MORNING
    )
    assert report.failed_critical == ()
    assert any("shopify" in one.table_name for one in report.results)
    return {(one.table_name, one.expectation) for one in report.warnings}


def test_a_source_that_is_whole_says_nothing(shop: duckdb.DuckDBPyConnection) -> None:
    assert {gate: said(shop, gate) for gate in ("raw", "staging", "marts")} == {
        "raw": set(), "staging": set(), "marts": set(),
    }  # fmt: skip


def test_a_source_that_is_asked_no_more_says_nothing(shop: duckdb.DuckDBPyConnection) -> None:
    fetched(shop, "f2", "failed", 0, hour=5)
    fetched(shop, "f3", "left_out", 0, hour=6)
    assert said(shop, "raw") == set()


def test_what_is_wrong_with_it_warns(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("delete from raw.shopify_sessions where date = '2026-03-02' and device = 'mobile'")
    fetched(shop, "f2", "failed", 0, hour=5)
    assert said(shop, "raw") == {
        (RAW, "row_count_equals_fetch"),
        (RAW, "last_fetch_was_loaded"),
    }
    assert said(shop, "staging") == {(STAGED, "row_count_equals_raw")}
    shop.execute(
        f"update {FUNNEL} set sessions = 301 where date = '2026-03-01' and device = 'all' "
        "and step_key = 'add_to_cart'"
    )
    assert said(shop, "marts") == {
        (FUNNEL, "step_is_within_all_sessions"),
        (FUNNEL, "devices_add_up"),
    }


def test_a_home_without_one_is_asked_about_none(shop: duckdb.DuckDBPyConnection) -> None:
    shop.execute("delete from ops.fetches")
    for gate in ("raw", "staging", "marts"):
        report = run_gate(gate, shop, window=WINDOW, run_id="r", properties=PROPERTIES, now=MORNING)
        assert not [one for one in report.results if "shopify" in one.table_name]
