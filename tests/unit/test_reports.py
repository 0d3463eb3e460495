"""Which reports are asked for, with which names, and how a request looks on the wire."""

from datetime import date

import pytest
from google.analytics.data_v1beta import types as ga4
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ga4.reports import ReportSpec, build_reports, snake_case
from pipelines.ga4.requests import PAGE_ROWS, fingerprint, report_request
from pipelines.tracking import MicroConversion, ParameterCondition, Segment, TrackingPlan, load_plan

START, END = date(2026, 3, 1), date(2026, 3, 4)
SCROLL = MicroConversion(
    "scroll_50",
    ("scroll_depth",),
    (ParameterCondition("percent_scrolled", ">=", "50"), ParameterCondition("type", "=", "it's")),
)
VIDEO = MicroConversion("video", ("video_start", "100% video"), ())
SIMPLE = MicroConversion("purchase", ("purchase",), ())
PLAN = TrackingPlan(
    (SCROLL, VIDEO, SIMPLE), (Segment("all", None), Segment("device", "deviceCategory"))
)


def by_name(plan: TrackingPlan) -> dict[str, ReportSpec]:
    return {spec.name: spec for spec in build_reports(plan)}


@pytest.mark.parametrize(
    ("api_name", "column"),
    [
        ("date", "date"),
        ("deviceCategory", "device_category"),
        ("sessionDefaultChannelGroup", "session_default_channel_group"),
        ("newVsReturning", "new_vs_returning"),
        ("itemsAddedToCart", "items_added_to_cart"),
        ("customEvent:page_type", "custom_event_page_type"),
        ("customEvent:size", "custom_event_size"),
    ],
)
def test_snake_case(api_name, column):
    assert snake_case(api_name) == column


words = st.from_regex(r"[a-z][a-z0-9]{1,6}", fullmatch=True)


@given(st.lists(words, min_size=1, max_size=5))
def test_snake_case_undoes_camel_case(parts):
    camel = parts[0] + "".join(part.capitalize() for part in parts[1:])
    assert snake_case(camel) == "_".join(parts)
    assert snake_case(snake_case(camel)) == snake_case(camel)


def test_the_reports_of_the_project():
    segments = ("all", "device", "channel", "country", "visitor")
    expected = {f"{kind}_by_{one}" for kind in ("sessions", "events", "micro") for one in segments}
    specs = by_name(load_plan())
    assert set(specs) == expected | {"items"}
    assert {name for name, spec in specs.items() if not spec.is_required} == {
        "items", *(f"micro_by_{one}" for one in segments),
    }  # fmt: skip


def test_raw_tables_have_the_columns_of_the_contract():
    specs = by_name(PLAN)
    assert specs["sessions_by_all"].table == "ga4_sessions_by_all"
    assert specs["sessions_by_all"].columns == {
        "property_id": "VARCHAR NOT NULL",
        "date": "DATE NOT NULL",
        "sessions": "BIGINT",
        "engaged_sessions": "BIGINT",
        "screen_page_views": "BIGINT",
        "user_engagement_duration": "DOUBLE",
        "transactions": "BIGINT",
        "purchase_revenue": "DOUBLE",
        "pulled_at": "TIMESTAMPTZ NOT NULL",
        "pull_id": "VARCHAR NOT NULL",
    }
    assert list(specs["events_by_device"].columns)[2:6] == [
        "event_name", "device_category", "event_count", "sessions",
    ]  # fmt: skip
    assert list(specs["micro_by_device"].columns)[2:6] == [
        "micro_key", "device_category", "event_count", "sessions",
    ]  # fmt: skip
    assert list(specs["items"].columns)[2:9] == [
        "item_id", "item_name", "items_viewed", "items_added_to_cart", "items_checked_out",
        "items_purchased", "item_revenue",
    ]  # fmt: skip
    assert specs["items"].columns["item_revenue"] == "DOUBLE"


def test_only_composite_keys_are_asked_for_one_by_one():
    specs = by_name(PLAN)
    assert [part.constants for part in specs["micro_by_all"].parts] == [
        {"micro_key": "scroll_50"}, {"micro_key": "video"},
    ]  # fmt: skip
    assert [part.parameters for part in specs["micro_by_all"].parts] == [
        {"percent_scrolled", "type"}, set(),
    ]  # fmt: skip
    simple = TrackingPlan((SIMPLE,), PLAN.segments)
    assert "micro_by_all" not in by_name(simple)


def test_a_request_is_ordered_by_every_dimension():
    spec = by_name(PLAN)["events_by_device"]
    request = report_request("42", spec, spec.parts[0], START, END)
    assert request.property == "properties/42"
    wanted = ["date", "eventName", "deviceCategory"]
    assert [one.name for one in request.dimensions] == wanted
    assert [one.dimension.dimension_name for one in request.order_bys] == wanted
    assert [one.name for one in request.metrics] == ["eventCount", "sessions"]
    assert [(one.start_date, one.end_date) for one in request.date_ranges] == [
        ("2026-03-01", "2026-03-04")
    ]
    assert request.limit == PAGE_ROWS == 250_000
    assert list(request.metric_aggregations) == [ga4.MetricAggregation.TOTAL]
    assert request.return_property_quota
    assert not request.dimension_filter


def test_a_composite_key_is_filtered_by_ga4_itself():
    spec = by_name(PLAN)["micro_by_all"]
    request = report_request("42", spec, spec.parts[0], START, END)
    event, scrolled, kind = request.dimension_filter.and_group.expressions
    assert event.filter.field_name == "eventName"
    assert list(event.filter.in_list_filter.values) == ["scroll_depth"]
    assert scrolled.filter.field_name == "customEvent:percent_scrolled"
    numeric = scrolled.filter.numeric_filter
    assert numeric.operation == ga4.Filter.NumericFilter.Operation.GREATER_THAN_OR_EQUAL
    assert numeric.value.int64_value == 50
    assert kind.filter.field_name == "customEvent:type"
    assert kind.filter.string_filter.value == "it's"
    assert kind.filter.string_filter.match_type == ga4.Filter.StringFilter.MatchType.EXACT


def test_event_names_go_out_as_they_are_written():
    spec = by_name(PLAN)["micro_by_all"]
    request = report_request("42", spec, spec.parts[1], START, END)
    (event,) = request.dimension_filter.and_group.expressions
    assert list(event.filter.in_list_filter.values) == ["video_start", "100% video"]
    assert event.filter.in_list_filter.case_sensitive


def test_a_fingerprint_tells_requests_apart():
    spec = by_name(PLAN)["events_by_device"]
    part = spec.parts[0]
    first = fingerprint(report_request("42", spec, part, START, END))
    assert first == fingerprint(report_request("42", spec, part, START, END))
    others = {
        fingerprint(report_request("43", spec, part, START, END)),
        fingerprint(report_request("42", spec, part, START, START)),
        fingerprint(report_request("42", by_name(PLAN)["events_by_all"], part, START, END)),
    }
    assert len(others | {first}) == 4
