"""What the page sums up itself: sales of a window and by week."""

from datetime import date, timedelta

import duckdb
import pytest

from pipelines.report.fetch import fetch
from pipelines.report.rows import quality, shopify
from pipelines.report.rows import sales as rows
from pipelines.report.rows.quality import OtherSetting
from pipelines.report.rows.sales import Sales, SalesWeek
from pipelines.report.rows.shopify import ShopSales

LAST = date(2026, 6, 30)


def marts(name: str, rows: str, *parameters: object) -> duckdb.DuckDBPyConnection:
    """A database with one mart of property 1; `rows`: its other columns."""
    connection = duckdb.connect()
    connection.execute("create schema marts")
    connection.execute(
        f"create table marts.{name} as select '1' as property_id, {rows}", list(parameters)
    )
    return connection


def sold(days: int, *changes: str) -> duckdb.DuckDBPyConnection:
    """Days with 100 sessions, of which 2 order for 50 each, up to `LAST`; then these changes."""
    connection = marts(
        "fct_sales_daily",
        "'all' as segment_name, ?::date - d::integer as date, 100 as sessions, "
        "2 as purchase_sessions, 2 as transactions, 100.0 as purchase_revenue, 'EUR' as currency, "
        "'tracked' as tracking_state from range(?) as days (d)",
        LAST,
        days,
    )
    for change in changes:
        connection.execute(f"update marts.fct_sales_daily set {change}")
    return connection


def sales(connection: duckdb.DuckDBPyConnection) -> Sales:
    (found,) = fetch(connection, Sales, rows.SALES, {"property": "1", "days": 28})
    return found


THIN = (
    "transactions = null, purchase_revenue = null, purchase_sessions = null, sessions = null, "
    "tracking_state = 'unknown_low_volume'"
)


def test_a_window_stands_against_the_one_before() -> None:
    whole = sales(sold(90, "transactions = 4 where date <= date '2026-06-02'"))
    assert whole == Sales(28, "EUR", 2800, 56, 0.02, 50, 2800, 112, 0.02, 25)
    # 28 days before are not 27.
    assert sales(sold(55)).prior_orders is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("transactions = null where date = '2026-06-30'", (2800, None, 0.02, None)),
        ("purchase_revenue = null where date = '2026-06-30'", (None, 56, 0.02, None)),
        ("tracking_state = 'sessionless' where date = '2026-06-30'", (2800, 56, None, 50)),
        # Too few visits to tell of a day: nobody bought, where orders are counted on other days.
        (f"{THIN} where date = '2026-06-30'", (2700, 54, 0.02, 50)),
        (THIN, (None, None, None, None)),
    ],
)
def test_a_sum_over_an_unknown_day_is_unknown(change: str, expected: tuple[object, ...]) -> None:
    found = sales(sold(28, change))
    assert (found.revenue, found.orders, found.conversion, found.order_value) == expected


def test_weeks_are_whole_and_end_with_the_newest_day() -> None:
    weeks = fetch(sold(100), SalesWeek, rows.SALES_WEEKS, {"property": "1"})
    assert len(weeks) == 13
    assert weeks[-1] == SalesWeek(LAST - timedelta(6), LAST, 700, 14, 0.02, 50)
    assert len(fetch(sold(13), SalesWeek, rows.SALES_WEEKS, {"property": "1"})) == 1


def test_money_of_two_currencies_is_neither_added_up_nor_compared() -> None:
    within = sold(56, "currency = 'USD' where date > date '2026-06-20'")
    assert sales(within) == Sales(28, "USD", None, 56, 0.02, None, None, 56, 0.02, None)
    # A day without revenue is of any currency.
    unsold = "purchase_revenue = 0 where date > date '2026-06-20'"
    found = sales(sold(56, "currency = 'USD' where date > date '2026-06-20'", unsold))
    assert (found.currency, found.revenue, found.prior_revenue) == ("EUR", 1800, 2800)
    before = sold(56, "currency = 'USD' where date > date '2026-06-02'")
    assert sales(before) == Sales(28, "USD", 2800, 56, 0.02, 50, None, 56, 0.02, None)
    weeks = fetch(within, SalesWeek, rows.SALES_WEEKS, {"property": "1"})
    # The newest week is all USD, the one before it is mixed.
    assert [(week.revenue, week.orders) for week in weeks[-3:]] == [
        (None, 14), (None, 14), (700, 14),
    ]  # fmt: skip


def test_nor_is_shopify_s() -> None:
    connection = marts(
        "fct_shopify_sales_daily",
        "?::date as date, 3 as orders, 60.0 as total_sales, 2 as abandoned_checkouts, "
        "1 as recovered_checkouts, 20.0 as abandoned_value, 'EUR' as currency",
        LAST,
    )
    connection.execute(
        "insert into marts.fct_shopify_sales_daily select * replace (date - 1 as date, 'USD' as "
        "currency, 0.0 as abandoned_value) from marts.fct_shopify_sales_daily"
    )
    assert fetch(connection, ShopSales, shopify.SALES, {"property": "1"}) == (
        ShopSales(6, None, 4, 2, 20, "EUR", 2, 2),
    )


def test_days_of_another_currency_or_zone_are_told_until_they_are_pulled_again() -> None:
    connection = marts(
        "fct_data_completeness",
        "?::date - d::integer as date, 'sessions_by_all' as report, '1d' as window_name, "
        "true as is_loaded, if(d < 10, 'USD', 'EUR') as currency, 'Asia/Tokyo' as time_zone "
        "from range(90) as days (d)",
        LAST,
    )
    ask = (connection, OtherSetting, quality.SETTINGS, {"property": "1"})
    assert fetch(*ask) == (OtherSetting("currency", "EUR", "USD", LAST - timedelta(10)),)
    connection.execute(
        "update marts.fct_data_completeness set currency = 'USD' where date > ?::date - 56", [LAST]
    )
    assert fetch(*ask) == ()
