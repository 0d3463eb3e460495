"""The API's rules: what is refused and in which words, batches, metadata, concurrency."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from google.analytics.data_v1beta import types as ga4
from google.api_core import exceptions

from tests.support.emulated_shop import PROPERTY, Shop, values

LIST = (
    "For a list of valid dimensions and metrics, see "
    "https://developers.google.com/analytics/devguides/reporting/data/v1/api-schema"
)
INCOMPATIBLE = (
    "to make the request compatible for example. The request's dimensions & metrics are "
    "incompatible. To learn more, see "
    "https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/"
)
TEN_DIMENSIONS = "date week month year day hour country city browser eventName"
ELEVEN_METRICS = (
    "sessions engagedSessions totalUsers activeUsers newUsers eventCount addToCarts checkouts "
    "transactions keyEvents bounceRate"
)


def days(start: str, end: str, **more: str) -> list[ga4.DateRange]:
    return [ga4.DateRange(start_date=start, end_date=end, **more)]


def condition(field: str, **kind: object) -> ga4.FilterExpression:
    return ga4.FilterExpression(filter=ga4.Filter(field_name=field, **kind))


@pytest.mark.parametrize(
    ("dimensions", "metrics", "more", "sentence"),
    [
        ("xyz", "sessions", {}, f"Field xyz is not a valid dimension. {LIST}"),
        ("date", "xyz", {}, f"Field xyz is not a valid metric.  {LIST}"),
        ("customEvent:gift", "sessions", {}, "Field customEvent:gift is not a valid dimension."),
        (
            "date",
            "sessions",
            {"dimension_filter": condition("sessions", empty_filter={})},
            "Field sessions is not a valid dimension.",
        ),
        (
            "date",
            "sessions",
            {"metric_filter": condition("date", empty_filter={})},
            "Field date is not a valid metric.",
        ),
        ("date date", "sessions", {}, "Found duplicate dimensions: date"),
        (
            "date",
            "sessions sessions",
            {},
            "Duplicate metrics are not allowed. Found duplicate metrics: sessions",
        ),
        ("", "", {}, "Requests require dimensions and/or metrics. Most requests include both."),
        (
            TEN_DIMENSIONS,
            "sessions",
            {},
            "Requests are limited to 9 dimensions within a nested request.\n"
            "  This request is for 10 dimensions.",
        ),
        (
            "date",
            ELEVEN_METRICS,
            {},
            "Requests are limited to 10 metrics within a nested request.\n"
            "  This request is for 11 metrics.",
        ),
        ("date", "sessions", {"limit": -1}, "limit must be positive. The API received limit = -1"),
        ("date", "sessions", {"offset": -5}, "offset must be positive."),
        ("date", "sessions", {"date_ranges": []}, "A dateRange is required."),
        (
            "date",
            "sessions",
            {"date_ranges": days("today", "today") * 5},
            "Requests are limited to 4 dateRanges.\n  This request contains 5 dateRanges.",
        ),
        (
            "date",
            "sessions",
            {"date_ranges": days("2026-03-11", "2026-03-10")},
            "start_date must be less than or equal to end_date. "
            "start_date = 2026-03-11 and end_date = 2026-03-10",
        ),
        (
            "date",
            "sessions",
            {"date_ranges": days("2026-02-30", "today")},
            "Invalid startDate : 2026-02-30. startDate must be YYYY-MM-DD, NdaysAgo, yesterday, or "
            "today.",
        ),
        (
            "date",
            "sessions",
            {"date_ranges": days("today", "tomorrow")},
            "Invalid endDate : tomorrow.",
        ),
        (
            "date",
            "sessions",
            {"date_ranges": days("999999daysAgo", "today")},
            "Invalid startDate : 999999daysAgo.",
        ),
        (
            "date",
            "sessions",
            {"date_ranges": days("2015-08-13", "today")},
            "start_date = 2015-08-13 must be greater than 2015-08-13",
        ),
        (
            "date",
            "sessions",
            {"date_ranges": days("today", "today", name="RESERVED_x")},
            "Invalid dateRange name : RESERVED_x.",
        ),
        (
            "date",
            "sessions",
            {"order_bys": [ga4.OrderBy(metric={"metric_name": "eventCount"})]},
            "Field eventCount exists in OrderBy but is not defined in input "
            "Dimensions/Metrics list",
        ),
        (
            "date",
            "sessions",
            {"metric_aggregations": ["COUNT"]},
            "Metric aggregation Count is not supported in ReportRequest.",
        ),
        ("itemName", "eventCount sessions", {}, f"Please remove eventCount {INCOMPATIBLE}"),
        (
            "itemName",
            "eventCount addToCarts itemsViewed",
            {},
            f"Please remove itemName {INCOMPATIBLE}",
        ),
        (
            "date",
            "checkouts",
            {"dimension_filter": condition("itemId", empty_filter={})},
            f"Please remove checkouts {INCOMPATIBLE}",
        ),
        (
            "date",
            "sessions",
            {"dimension_filter": condition("date", in_list_filter={})},
            "The in_list_filter on field date must have values.",
        ),
        (
            "date",
            "sessions",
            {"dimension_filter": condition("date")},
            "The filter on field date has no filter type.",
        ),
        (
            "date",
            "sessions",
            {"dimension_filter": ga4.FilterExpression(and_group={})},
            "The and_group of a filter expression must contain expressions.",
        ),
        (
            "date",
            "sessions",
            {
                "dimension_filter": condition(
                    "date", string_filter={"value": "(", "match_type": "FULL_REGEXP"}
                )
            },
            "Invalid regular expression",
        ),
        ("date", "sessions", {"property": "properties/shop"}, "Invalid property ID: shop."),
        ("date", "sessions", {"property": "accounts/7"}, "Invalid property ID: accounts/7."),
    ],
)
def test_wrong_requests_get_googles_sentence(shop: Shop, dimensions, metrics, more, sentence):
    with pytest.raises(exceptions.InvalidArgument) as refused:
        shop.report(dimensions, metrics, **more)
    assert refused.value.message.startswith(sentence)


def test_an_unknown_property_is_somebody_elses(shop: Shop):
    with pytest.raises(exceptions.PermissionDenied, match="does not have sufficient permissions"):
        shop.report("date", "sessions", property="properties/999")


@pytest.mark.parametrize(
    "more",
    [{"currency_code": "USD"}, {"cohort_spec": {}}, {"comparisons": [{"name": "x"}]}],
)
def test_what_is_not_emulated_is_refused_openly(shop: Shop, more: dict):
    with pytest.raises(exceptions.MethodNotImplemented, match="emulator does not answer"):
        shop.report("date", "sessions", **more)


def test_a_larger_limit_is_cut_silently(shop: Shop):
    assert len(shop.report("date", "sessions", limit=250_001).rows) == 2


def test_batches(shop: Shop):
    def batch(*properties: str):
        requests = [
            ga4.RunReportRequest(
                property=name,
                metrics=[ga4.Metric(name="sessions")],
                date_ranges=days("2026-03-10", f"2026-03-1{index}"),
            )
            for index, name in enumerate(properties)
        ]
        return shop.client.batch_run_reports({"property": PROPERTY, "requests": requests})._pb

    answer = batch("", PROPERTY)
    assert [values(report.rows[0]) for report in answer.reports] == [("2",), ("4",)]
    assert answer.kind == "analyticsData#batchRunReports"
    for properties, sentence in (
        ([], "must contain at least one runReportRequest"),
        ([""] * 6, "Batch requests are limited to 5 requests."),
        (["properties/7"], "must be unspecified or the same"),
    ):
        with pytest.raises(exceptions.InvalidArgument, match=sentence):
            batch(*properties)


def test_metadata_lists_fields_and_registered_parameters(shop: Shop):
    found = shop.client.get_metadata(name=f"{PROPERTY}/metadata")
    names = {one.api_name: one for one in found.dimensions}
    assert names["customEvent:page_type"].custom_definition
    assert not names["eventName"].custom_definition
    types = {one.api_name: one.type_ for one in found.metrics}
    assert types["keyEvents"] == ga4.MetricType.TYPE_FLOAT
    assert types["itemRevenue"] == ga4.MetricType.TYPE_CURRENCY
    standard = shop.client.get_metadata(name="properties/0/metadata")
    assert len(standard.dimensions) == len(found.dimensions) - 2
    with pytest.raises(exceptions.PermissionDenied):
        shop.client.get_metadata(name="properties/999/metadata")


def test_every_field_of_the_metadata_can_be_asked(shop: Shop):
    found = shop.client.get_metadata(name=f"{PROPERTY}/metadata")
    of_items = {"itemId", "itemName", "itemBrand", "itemVariant", "itemCategory", "itemListName"}
    for one in found.dimensions:
        rows = shop.report(one.api_name, "sessions").rows
        assert rows, one.api_name
        assert (one.api_name in of_items) == one.api_name.startswith("item")
    for one in found.metrics:
        assert len(shop.report("", one.api_name, keep_empty_rows=True).rows) == 1, one.api_name


def test_compatibility_is_what_reports_accept(shop: Shop):
    request = ga4.CheckCompatibilityRequest(
        property=PROPERTY,
        metrics=[ga4.Metric(name="eventCount")],
        dimensions=[ga4.Dimension(name="date")],
        compatibility_filter="INCOMPATIBLE",
    )
    found = shop.client.check_compatibility(request)
    assert {one.dimension_metadata.api_name for one in found.dimension_compatibilities} == {
        "itemId",
        "itemName",
        "itemBrand",
        "itemVariant",
        "itemCategory",
        "itemListName",
    }
    assert not found.metric_compatibilities
    request.compatibility_filter = ga4.Compatibility.COMPATIBILITY_UNSPECIFIED
    everything = shop.client.check_compatibility(request)
    assert "itemsViewed" in {
        one.metric_metadata.api_name
        for one in everything.metric_compatibilities
        if one.compatibility == ga4.Compatibility.COMPATIBLE
    }
    request.dimensions.append(ga4.Dimension(name="itemId"))
    with pytest.raises(exceptions.InvalidArgument, match="Please remove eventCount to make"):
        shop.client.check_compatibility(request)


def test_requests_at_the_same_time_do_not_mix(shop: Shop):
    asked = ["eventName", "deviceCategory", "country", "pagePath"] * 15
    alone = {name: shop.rows(name, "sessions eventCount") for name in set(asked)}
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda name: shop.rows(name, "sessions eventCount"), asked))
    assert together == [alone[name] for name in asked]
