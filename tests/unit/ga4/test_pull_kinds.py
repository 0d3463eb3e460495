"""Landing pages, parameters and pages; restricted metrics; pages that are too slow."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from pipelines.config.tracking_plan import (
    MicroConversion,
    ParameterCondition,
    Segment,
    TrackingPlan,
)
from pipelines.ga4.api_errors import AuditError, SlowPageError, ThresholdedQuotaError
from pipelines.ga4.client import Ga4Client
from pipelines.ga4.decode.encoded_answer import encoded_answer
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.report_catalog import EVENT_METRICS, Part, ReportSpec, build_reports
from pipelines.ga4.report_query import SMALLEST_PAGE_ROWS
from pipelines.ga4.report_request import PAGE_ROWS
from tests.support import protocol_server as misbehaving
from tests.support.folding import folded
from tests.support.protocol_server import Fault, ProtocolServer, Row, asks_for, names

START, END = date(2026, 3, 1), date(2026, 3, 2)
SCROLL = MicroConversion(
    "scroll_50", ("scroll_depth",), (ParameterCondition("percent", ">=", "50"),)
)
PAY = MicroConversion("payment_method", ("add_payment_info",), (), parameters=("payment_type",))
PLAN = TrackingPlan((SCROLL, PAY), (Segment("landing_page", "landingPage"),))
SPECS = {spec.name: spec for spec in build_reports(PLAN)}
EVENTS = SPECS["events_by_landing_page"]


def pulled(client: Any, spec: ReportSpec, **more: Any) -> Pull:
    return pull(client, "42", spec, START, END, **more)


def values(result: Pull) -> list[tuple]:
    table = result.rows.drop_columns(["property_id", "pulled_at", "pull_id"])
    return sorted(tuple(row.values()) for row in table.to_pylist())


def ranked(page: str, sessions: int) -> Row:
    return {"landingPage": page, "sessions": str(sessions)}


def events(day: str, page: str, count: int) -> Row:
    return {
        "date": day, "eventName": "view_item", "landingPage": page, "eventCount": str(count),
        "sessions": str(count),
    }  # fmt: skip


@pytest.fixture
def landing(server: ProtocolServer) -> None:
    server.put(
        "42",
        [
            ranked("/", 90), ranked("/b", 20), ranked("/a", 20), ranked("", 5), ranked("/z", 5),
            *(events("20260301", page, 3) for page in ("/", "/a", "/b", "", "/z")),
            events("20260302", "/", 4),
        ],
    )  # fmt: skip


def top(spec: ReportSpec, count: int) -> ReportSpec:
    return ReportSpec(spec.name, spec.dimensions, spec.metrics, spec.parts, top=count)


@pytest.mark.usefixtures("landing")
@pytest.mark.parametrize(
    ("count", "pages"),
    [(1, ["/"]), (2, ["/", "/a"]), (4, ["/", "/a", "/b", ""]), (9, ["/", "/a", "/b", "", "/z"])],
)
@pytest.mark.parametrize("page_size", [1, 3, 100])
def test_only_the_landing_pages_with_most_sessions(server, client, count, pages, page_size):
    """Equal numbers are taken in the order of their texts."""
    server.page_size = page_size
    result = pulled(client, top(EVENTS, count))
    (first, *_) = server.calls("landingPage")
    assert (first.date_ranges[0].start_date, first.date_ranges[0].end_date) == (
        "2026-02-03", "2026-03-02",
    )  # fmt: skip
    asked = server.calls("date", "eventName", "landingPage")[0]
    (only,) = asked.dimension_filter.and_group.expressions
    assert list(only.filter.in_list_filter.values) == pages
    found = [(START, "view_item", page, 3, 3) for page in pages]
    assert values(result) == sorted([*found, (END, "view_item", "/", 4, 4)])
    assert result.pages == len(server.requests)


def test_the_project_takes_two_hundred(server, client):
    server.put("42", [ranked(f"/{number:03}", 1) for number in range(300)])
    result = pulled(client, EVENTS)
    asked = server.calls("date", "eventName", "landingPage")[0]
    wanted = asked.dimension_filter.and_group.expressions[0].filter.in_list_filter.values
    assert list(wanted) == [f"/{number:03}" for number in range(200)]
    assert result.rows.num_rows == 0
    assert result.partitions.to_pylist() == [{"date": START}, {"date": END}]


def test_without_landing_pages_nothing_is_asked_for(server, client):
    server.put("42", [])
    result = pulled(
        client, SPECS["micro_by_landing_page"], custom_dimensions=frozenset({"percent"})
    )
    assert [names(one.dimensions) for one in server.requests] == [["landingPage"]]
    assert result.rows.num_rows == 0
    assert result.skipped == ()
    assert result.partitions.num_rows == 2


@pytest.mark.usefixtures("landing")
@pytest.mark.parametrize("tamper", [misbehaving.repeat_first_row, misbehaving.spoil_metric("n/a")])
def test_a_ranking_is_audited_too(server, client, tamper):
    server.faults = [Fault(tamper=tamper, match=asks_for("landingPage"))]
    with pytest.raises(AuditError, match="events_by_landing_page, 2026-03-01 to 2026-03-02"):
        pulled(client, EVENTS)
    assert len(server.calls("landingPage")) == 3


def parameter(name: str, day: str, event: str, value: str, count: int) -> Row:
    return {
        "date": day, "eventName": event, f"customEvent:{name}": value, "eventCount": str(count),
        "sessions": str(count),
    }  # fmt: skip


def test_one_registered_parameter_at_a_time(server, client):
    server.put(
        "42",
        [
            parameter("percent", "20260301", "scroll_depth", "25", 7),
            parameter("percent", "20260301", "scroll_depth", "(not set)", 2),
            parameter("percent", "20260301", "other_event", "25", 9),
            parameter("payment_type", "20260302", "add_payment_info", "card", 3),
        ],
    )
    both = frozenset({"percent", "payment_type"})
    result = pulled(client, SPECS["event_params"], custom_dimensions=both)
    assert values(result) == [
        (START, "percent", "scroll_depth", "(not set)", 2, 2),
        (START, "percent", "scroll_depth", "25", 7, 7),
        (END, "payment_type", "add_payment_info", "card", 3, 3),
    ]
    assert result.skipped == ()
    only = pulled(client, SPECS["event_params"], custom_dimensions=frozenset({"payment_type"}))
    assert values(only) == [(END, "payment_type", "add_payment_info", "card", 3, 3)]
    assert only.skipped == ("percent",)
    none = pulled(client, SPECS["event_params"], custom_dimensions=frozenset())
    assert none.rows.num_rows == 0
    assert none.skipped == ("percent", "payment_type")


def page(path: str, views: int, sessions: int, engaged: int, seconds: str) -> Row:
    return {
        "date": "20260301", "pagePath": path, "screenPageViews": str(views),
        "sessions": str(sessions), "engagedSessions": str(engaged),
        "userEngagementDuration": seconds,
    }  # fmt: skip


PAGES = [page("/", 10, 6, 3, "61.5"), page("(other)", 30, 9, 2, "12")]


def restrict(*metrics: str) -> Callable[[Any], None]:
    def decorate(answer: Any) -> None:
        folded(answer)
        restriction = answer.metadata.schema_restriction_response
        for metric in metrics:
            restriction.active_metric_restrictions.add(metric_name=metric)

    return decorate


def test_pages(server, client):
    server.put("42", PAGES)
    server.decorate = folded
    result = pulled(client, SPECS["pages"])
    assert values(result) == [(START, "(other)", 30, 9, 2, 12.0), (START, "/", 10, 6, 3, 61.5)]
    assert result.other_share == 0.75
    assert result.partitions.to_pylist() == [{"date": START}, {"date": END}]
    assert result.flags.restricted_metrics == ()


def test_a_restricted_metric_is_unknown_and_not_zero(server, client):
    zeros = [{**row, "userEngagementDuration": "0", "screenPageViews": "0"} for row in PAGES]
    server.put("42", zeros)
    server.decorate = restrict("userEngagementDuration", "screenPageViews")
    result = pulled(client, SPECS["pages"])
    assert values(result) == [(START, "(other)", None, 9, 2, None), (START, "/", None, 6, 3, None)]
    assert result.rows.schema.field("user_engagement_duration").type == "double"
    assert result.flags.restricted_metrics == ("screenPageViews", "userEngagementDuration")
    assert result.other_share == 0.0


def test_a_truncation_is_told(server, client):
    def truncate(answer: Any) -> None:
        answer.metadata.data_truncation_reasons.add(data_truncation_message="Too old.")

    server.put("42", PAGES)
    server.decorate = truncate
    flags = pulled(client, SPECS["pages"]).flags
    assert flags.truncation == "DATA_TRUNCATION_TYPE_UNSPECIFIED Too old.".replace(
        "DATA_TRUNCATION_TYPE_", ""
    )


class Slow:
    """A client whose server cannot send more than `most` rows in time."""

    def __init__(self, client: Ga4Client, most: int) -> None:
        self.client, self.most = client, most
        self.asked: list[tuple[int, int]] = []

    def run_report(self, request: Any, *, what: str) -> Any:
        self.asked.append((request.offset, request.limit))
        if request.limit > self.most:
            raise SlowPageError(f"{what} took too long")
        return self.client.run_report(request, what=what)


BY_NUMBER = ReportSpec("numbers", ("eventName",), EVENT_METRICS)


def numbered(count: int) -> list[Row]:
    return [
        {"date": "20260301", "eventName": f"e{n:05}", "eventCount": "1", "sessions": "1"}
        for n in range(count)
    ]


def test_a_slow_page_is_halved_until_it_comes(server, client):
    server.put("42", numbered(5_000))
    slow = Slow(client, 2_000)
    result = pulled(slow, BY_NUMBER)
    assert result.rows.num_rows == 5_000
    sizes = [250_000, 125_000, 62_500, 31_250, 15_625, 7_812, 3_906, 1_953]
    assert slow.asked == [*((0, size) for size in sizes), (1_953, 1_953), (3_906, 1_953)]
    assert result.pages == 3


def test_pages_stay_small_for_the_parts_and_attempts_that_follow(server, client):
    server.put("42", numbered(1_500))
    server.faults = [Fault(tamper=misbehaving.grow, match=lambda request: request.offset, times=1)]
    slow = Slow(client, 1_000)
    spec = ReportSpec("numbers", ("eventName",), EVENT_METRICS, (Part(), Part()))
    assert pulled(slow, spec).rows.num_rows == 3_000
    assert slow.asked.count((0, PAGE_ROWS)) == 1
    assert slow.asked[-6:] == [(0, 1_000), (1_000, 1_000)] * 3


def test_a_small_page_that_is_too_slow_is_an_error(server, client):
    server.put("42", numbered(10))
    slow = Slow(client, 999)
    with pytest.raises(SlowPageError, match="the report numbers"):
        pulled(slow, BY_NUMBER)
    assert slow.asked[-1] == (0, SMALLEST_PAGE_ROWS)
    assert len(slow.asked) == 9


def test_a_slow_ranking_has_no_smaller_page(client):
    slow = Slow(client, 0)
    with pytest.raises(SlowPageError):
        pulled(slow, EVENTS)
    assert slow.asked == [(0, 200)]


def test_many_pages_arrive_whole():
    """Four pages of a server that sends fewer rows than it is asked for."""

    class Large:
        def run_report(self, request: Any, *, what: str) -> Any:
            answer = misbehaving.Response(row_count=30_000)
            for name in ("date", "eventName"):
                answer.dimension_headers.add(name=name)
            for name in ("eventCount", "sessions"):
                answer.metric_headers.add(name=name)
            for number in range(request.offset, min(request.offset + 7_500, 30_000)):
                row = answer.rows.add()
                for text in ("20260301", f"e{number}"):
                    row.dimension_values.add(value=text)
                for text in ("2", "1"):
                    row.metric_values.add(value=text)
            return encoded_answer(answer.SerializeToString())

    result = pulled(Large(), BY_NUMBER)
    assert result.pages == 4
    assert result.rows.num_rows == 30_000
    assert sum(result.rows["event_count"].to_pylist()) == 60_000
    assert len(set(result.rows["event_name"].to_pylist())) == 30_000


def test_a_quota_error_is_passed_on_as_it_is(server, client):
    class Thresholded:
        def run_report(self, request: Any, *, what: str) -> Any:
            raise ThresholdedQuotaError("later")

    with pytest.raises(ThresholdedQuotaError, match="later"):
        pulled(Thresholded(), BY_NUMBER)
