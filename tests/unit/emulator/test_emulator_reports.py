"""What the emulator answers about the hand-made shop: numbers, filters, order, pages."""

from collections import Counter

import pytest
from google.analytics.data_v1beta import types as ga4

from tests.support.emulated_shop import Shop, values

MATCH = ga4.Filter.StringFilter.MatchType
COMPARE = ga4.Filter.NumericFilter.Operation
ORDER = ga4.OrderBy.DimensionOrderBy.OrderType


def one(field: str, **filters: object) -> ga4.FilterExpression:
    return ga4.FilterExpression(filter=ga4.Filter(field_name=field, **filters))


def text(field: str, value: str, match: int = MATCH.EXACT, case: bool = False):
    found = ga4.Filter.StringFilter(value=value, match_type=match, case_sensitive=case)
    return one(field, string_filter=found)


def number(field: str, operation: int, value: float):
    kind = "int64_value" if isinstance(value, int) else "double_value"
    found = ga4.Filter.NumericFilter(operation=operation, value=ga4.NumericValue({kind: value}))
    return one(field, numeric_filter=found)


def by(dimension: str, order: int = ORDER.ALPHANUMERIC, desc: bool = False) -> ga4.OrderBy:
    found = ga4.OrderBy.DimensionOrderBy(dimension_name=dimension, order_type=order)
    return ga4.OrderBy(dimension=found, desc=desc)


def by_metric(metric: str, desc: bool = False) -> ga4.OrderBy:
    return ga4.OrderBy(metric=ga4.OrderBy.MetricOrderBy(metric_name=metric), desc=desc)


def test_sessions_by_day(shop: Shop):
    # The session over midnight is in both days, and engaged only on the second.
    answer = shop.report(
        "date",
        "sessions engagedSessions screenPageViews userEngagementDuration transactions "
        "purchaseRevenue eventCount",
        metric_aggregations=["TOTAL", "MINIMUM", "MAXIMUM"],
    )
    assert {values(row) for row in answer.rows} == {
        ("20260310", "2", "1", "2", "0.5", "1", "10.1", "8"),
        ("20260311", "3", "1", "1", "1.5", "1", "20.2", "7"),
    }
    # Four different sessions, not the five that the days add up to.
    total = values(answer.totals[0])
    lowest, highest = values(answer.minimums[0]), values(answer.maximums[0])
    assert total == ("RESERVED_TOTAL", "4", "2", "3", "2", "2", "30.3", "15")
    assert lowest == ("RESERVED_MIN", "2", "1", "1", "0.5", "1", "10.1", "7")
    assert highest == ("RESERVED_MAX", "3", "1", "2", "1.5", "1", "20.2", "8")


def test_aggregations_come_in_the_order_of_the_date_ranges(shop: Shop):
    days = [
        ga4.DateRange(start_date=day, end_date=day, name=name)
        for day, name in (("2026-03-11", "this"), ("2026-03-10", "last"))
    ]
    aggregations = ["TOTAL", "MINIMUM", "MAXIMUM"]
    answer = shop.report("", "sessions", date_ranges=days, metric_aggregations=aggregations)
    for word, rows in zip(
        ("TOTAL", "MIN", "MAX"), (answer.totals, answer.minimums, answer.maximums), strict=True
    ):
        assert [values(row) for row in rows] == [("this", "3"), ("last", "2")], word


def test_a_report_of_a_hidden_metric_has_no_rows_to_show(shop: Shop):
    answer = shop.client.run_report(
        {
            "property": "properties/100000001",
            "metrics": [{"name": "sessions", "invisible": True}],
            "date_ranges": [{"start_date": "2026-03-10", "end_date": "2026-03-11"}],
        }
    )._pb
    assert (answer.row_count, len(answer.metric_headers), len(answer.rows)) == (1, 0, 0)


def test_users_and_rates(shop: Shop):
    assert shop.rows("date", "totalUsers newUsers activeUsers bounceRate engagementRate") == {
        ("20260310", "2", "1", "2", "0.5", "0.5"),
        ("20260311", "3", "0", "1", "0.66666666666666663", "0.33333333333333331"),
    }


def test_shop_metrics_count_rows_and_orders(shop: Shop):
    wanted = "addToCarts checkouts ecommercePurchases keyEvents transactions averagePurchaseRevenue"
    assert shop.rows("", wanted) == {("1", "1", "3", "3", "2", "15.15")}


def test_headers_types_and_metadata(shop: Shop):
    answer = shop.report("date eventName", "sessions bounceRate userEngagementDuration itemRevenue")
    assert [header.name for header in answer.dimension_headers] == ["date", "eventName"]
    assert [header.type_ for header in answer.metric_headers] == [1, 2, 4, 9]
    assert answer.kind == "analyticsData#runReport"
    assert (answer.metadata.currency_code, answer.metadata.time_zone) == ("EUR", "Europe/Berlin")


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("deviceCategory", {("mobile", "1"), ("desktop", "2"), ("(not set)", "1")}),
        ("country", {("Germany", "1"), ("Austria", "2"), ("(not set)", "1")}),
        (
            "sessionDefaultChannelGroup",
            {("Organic Search", "1"), ("Direct", "2"), ("(not set)", "1")},
        ),
        ("newVsReturning", {("new", "2"), ("returning", "2")}),
        ("landingPage", {("/", "2"), ("/p/1", "1"), ("(not set)", "1")}),
        ("pagePath", {("/", "2"), ("/p/1", "2"), ("(not set)", "4")}),
        ("customEvent:page_type", {("home", "1"), ("product", "2"), ("(not set)", "4")}),
        ("customEvent:percent_scrolled", {("50", "1"), ("100", "1"), ("(not set)", "4")}),
        (
            "dateHour",
            {
                ("2026031023", "1"),
                ("2026031100", "1"),
                ("2026031012", "1"),
                ("2026031109", "1"),
                ("2026031110", "1"),
            },
        ),
        ("week", {("11", "4")}),
        ("isoYearIsoWeek", {("202611", "4")}),
        ("yearMonth", {("202603", "4")}),
    ],
)
def test_dimensions(shop: Shop, dimension: str, expected: set):
    assert shop.rows(dimension, "sessions") == expected


def test_items_are_units_and_a_repeated_order_is_one(shop: Shop):
    wanted = "itemsViewed itemsAddedToCart itemsCheckedOut itemsPurchased itemRevenue"
    assert shop.rows("date itemId itemName", wanted) == {
        ("20260310", "sku1", "Boot", "1", "0", "1", "1", "10.1"),
        ("20260311", "sku1", "Boot", "1", "2", "0", "0", "0"),
        ("20260311", "sku2", "Sock", "2", "0", "0", "0", "0"),
        ("20260311", "sku2", "(not set)", "0", "0", "0", "2", "20.2"),
    }
    # The same units without item dimensions, beside event metrics; sessions go with items.
    assert shop.rows("date", f"eventCount {wanted}") == {
        ("20260310", "8", "1", "0", "1", "1", "10.1"),
        ("20260311", "7", "3", "2", "0", "2", "20.2"),
    }
    assert shop.rows("itemId", "sessions totalUsers") == {("sku1", "3", "2"), ("sku2", "2", "2")}


def test_empty_rows_only_on_request(shop: Shop):
    buyers = {("desktop", "1"), ("(not set)", "1")}
    assert shop.rows("deviceCategory", "transactions") == buyers
    everyone = buyers | {("mobile", "0")}
    assert shop.rows("deviceCategory", "transactions", keep_empty_rows=True) == everyone
    assert shop.rows("deviceCategory") == {("mobile",), ("desktop",), ("(not set)",)}


def test_date_ranges_are_a_dimension(shop: Shop):
    days = [
        ga4.DateRange(start_date="2026-03-10", end_date="2026-03-10"),
        ga4.DateRange(start_date="2026-03-10", end_date="2026-03-11", name="both"),
    ]
    answer = shop.report("deviceCategory", "sessions", date_ranges=days, metric_aggregations=[1])
    assert [header.name for header in answer.dimension_headers] == ["deviceCategory", "dateRange"]
    assert {values(row) for row in answer.rows} == {
        ("mobile", "date_range_0", "1"),
        ("desktop", "date_range_0", "1"),
        ("mobile", "both", "1"),
        ("desktop", "both", "2"),
        ("(not set)", "both", "1"),
    }
    assert {values(row) for row in answer.totals} == {
        ("RESERVED_TOTAL", "date_range_0", "2"),
        ("RESERVED_TOTAL", "both", "4"),
    }


@pytest.mark.parametrize(
    ("start", "end", "dates"),
    [
        # It is 12 March in Berlin, though still the 11th in UTC.
        ("yesterday", "today", {("20260311",)}),
        ("2daysAgo", "yesterday", {("20260310",), ("20260311",)}),
        ("today", "today", set()),
    ],
)
def test_relative_dates_are_the_propertys(shop: Shop, start: str, end: str, dates: set):
    days = [ga4.DateRange(start_date=start, end_date=end)]
    assert shop.rows("date", date_ranges=days) == dates


SCROLLS = {("scroll_depth", "2")}


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (text("eventName", "it's 100%"), {("it's 100%", "1")}),
        (text("eventName", "IT'S 100%"), {("it's 100%", "1")}),
        (text("eventName", "IT'S 100%", case=True), set()),
        (text("eventName", "100%", MATCH.ENDS_WITH), {("it's 100%", "1")}),
        (text("eventName", "'S 1", MATCH.CONTAINS), {("it's 100%", "1")}),
        (text("eventName", "%", MATCH.CONTAINS), {("it's 100%", "1")}),
        (text("eventName", "scroll_", MATCH.BEGINS_WITH), SCROLLS),
        (text("eventName", "scroll", MATCH.FULL_REGEXP), set()),
        (text("eventName", "SCROLL.*", MATCH.FULL_REGEXP), SCROLLS),
        (text("eventName", "l_d", MATCH.PARTIAL_REGEXP, case=True), SCROLLS),
        (one("eventName", in_list_filter={"values": ["SCROLL_DEPTH", "x' OR 1=1 --"]}), SCROLLS),
        (number("customEvent:percent_scrolled", COMPARE.GREATER_THAN_OR_EQUAL, 50), SCROLLS),
        (number("customEvent:percent_scrolled", COMPARE.GREATER_THAN, 50), {("scroll_depth", "1")}),
        (
            one(
                "customEvent:percent_scrolled",
                between_filter={
                    "from_value": {"int64_value": 40},
                    "to_value": {"double_value": 50.0},
                },
            ),
            {("scroll_depth", "1")},
        ),
        (
            ga4.FilterExpression(
                and_group={
                    "expressions": [
                        text("customEvent:page_type", "product"),
                        ga4.FilterExpression(not_expression=text("deviceCategory", "mobile")),
                    ]
                }
            ),
            {("page_view", "1"), ("view_item", "1"), ("scroll_depth", "1")},
        ),
        (
            ga4.FilterExpression(
                or_group={
                    "expressions": [
                        text("eventName", "add_to_cart"),
                        text("eventName", "begin_checkout"),
                    ]
                }
            ),
            {("add_to_cart", "1"), ("begin_checkout", "1")},
        ),
        (
            ga4.FilterExpression(
                and_group={
                    "expressions": [
                        one("deviceCategory", empty_filter={}),
                        text("eventName", "p", MATCH.BEGINS_WITH),
                    ]
                }
            ),
            {("page_view", "1"), ("purchase", "1")},
        ),
        # Not a number is not "less than", and its opposite is everything else.
        (
            ga4.FilterExpression(
                and_group={
                    "expressions": [
                        ga4.FilterExpression(
                            not_expression=number(
                                "customEvent:percent_scrolled", COMPARE.LESS_THAN, 1000
                            )
                        ),
                        text("eventName", "scroll|first", MATCH.PARTIAL_REGEXP),
                    ]
                }
            ),
            {("first_visit", "1")},
        ),
    ],
)
def test_dimension_filters(shop: Shop, condition: ga4.FilterExpression, expected: set):
    assert shop.rows("eventName", "eventCount", dimension_filter=condition) == expected


def test_metric_filters_may_use_other_metrics(shop: Shop):
    several = number("sessions", COMPARE.GREATER_THAN, 1)
    assert shop.rows("eventName", "eventCount", metric_filter=several) == {
        ("page_view", "3"),
        ("view_item", "2"),
        ("purchase", "3"),
        ("scroll_depth", "2"),
    }


def test_orders(shop: Shop):
    def ordered(*orders: ga4.OrderBy, dimension: str = "eventName") -> list[tuple[str, ...]]:
        return [values(r) for r in shop.report(dimension, "eventCount", order_bys=orders).rows]

    assert ordered(by_metric("eventCount", desc=True), by("eventName"))[:3] == [
        ("page_view", "3"),
        ("purchase", "3"),
        ("scroll_depth", "2"),
    ]
    assert ordered(by("eventName", desc=True))[0] == ("view_item", "2")
    scrolled = "customEvent:percent_scrolled"
    assert [row[0] for row in ordered(by(scrolled), dimension=scrolled)] == [
        "(not set)",
        "100",
        "50",
    ]
    assert [row[0] for row in ordered(by(scrolled, ORDER.NUMERIC), dimension=scrolled)] == [
        "(not set)",
        "50",
        "100",
    ]
    channel = "sessionDefaultChannelGroup"
    assert [
        r[0]
        for r in ordered(by(channel, ORDER.CASE_INSENSITIVE_ALPHANUMERIC, True), dimension=channel)
    ] == ["Organic Search", "Direct", "(not set)"]
    # Without an order: the first metric, largest first.
    assert [row[1] for row in ordered()][:2] == ["3", "3"]


def test_pages_are_whole_only_in_a_complete_order(shop: Shop):
    def paged(limit: int, **more: object) -> list[tuple[str, ...]]:
        pages = (
            shop.report("eventName", "sessions", limit=limit, offset=offset, **more)
            for offset in range(0, 9, limit)
        )
        return [values(row) for page in pages for row in page.rows if page.row_count == 9]

    whole = shop.rows("eventName", "sessions")
    assert sorted(paged(2, order_bys=[by("eventName")])) == sorted(whole)
    # Ties move from page to page, so rows come twice and others never.
    assert max(Counter(paged(1)).values()) > 1
    assert shop.report("eventName", "sessions", offset=9).row_count == 9


def test_invisible_metrics_order_and_filter(shop: Shop):
    answer = shop.client.run_report(
        {
            "property": "properties/100000001",
            "dimensions": [{"name": "date"}],
            "metrics": [{"name": "eventCount", "invisible": True}, {"name": "sessions"}],
            "date_ranges": [{"start_date": "2026-03-10", "end_date": "2026-03-11"}],
            "metric_aggregations": ["TOTAL"],
        }
    )._pb
    assert [values(row) for row in answer.rows] == [("20260310", "2"), ("20260311", "3")]
    assert [header.name for header in answer.metric_headers] == ["sessions"]
    assert values(answer.totals[0]) == ("RESERVED_TOTAL", "4")
