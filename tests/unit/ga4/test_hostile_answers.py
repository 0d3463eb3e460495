"""What visitors or a server may send: words that are markers, and more than anybody reads."""

from datetime import date
from typing import Any

import grpc
import pytest
from google.analytics.data_v1beta.services.beta_analytics_data.transports import (
    BetaAnalyticsDataGrpcTransport,
)
from google.auth.credentials import AnonymousCredentials

from pipelines.config.settings import Ga4
from pipelines.config.tracking_plan import Funnel, FunnelStep, TrackingPlan
from pipelines.ga4 import client as client_module
from pipelines.ga4.api_errors import AuditError, Ga4Error, LargePageError
from pipelines.ga4.client import Ga4Client, connect
from pipelines.ga4.decode import encoded_answer
from pipelines.ga4.extract import answer_pages
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.report_catalog import EVENT_METRICS, ReportSpec, build_reports
from tests.support.folding import folded
from tests.support.protocol_server import Fault, Row

DAY = date(2026, 3, 1)
EVENTS = ReportSpec("events_by_all", ("eventName",), EVENT_METRICS)
MARKERS = ("all", "(all)", "(other)", "(not set)", "RESERVED_TOTAL", "sessions", "date", "", "\\")


def event(name: str, count: int = 1) -> Row:
    return {"date": "20260301", "eventName": name, "eventCount": str(count), "sessions": "1"}


def pulled(client: Ga4Client, spec: ReportSpec = EVENTS) -> Pull:
    return pull(client, "42", spec, DAY, DAY)


def names(result: Pull) -> list[str]:
    return sorted(result.rows["event_name"].to_pylist())


def report(name: str) -> ReportSpec:
    funnel = Funnel("core", (FunnelStep(0, None),))
    return {spec.name: spec for spec in build_reports(TrackingPlan((), (), (funnel,)))}[name]


def test_events_may_be_called_like_any_marker(server, client):
    """Only `(other)` means something in a report by day, and GA4 says when it is its own."""
    server.put("42", [event(name) for name in MARKERS])
    result = pulled(client)
    assert names(result) == sorted({*MARKERS, "\\(other)"} - {"(other)"})
    assert result.other_share == 0.0
    assert not result.flags.has_other_row


def test_what_ga4_folded_is_still_known(server, client):
    server.put("42", [event("view_item", 3), event("(other)", 1)])
    server.decorate = folded
    result = pulled(client)
    assert names(result) == ["(other)", "view_item"]
    assert result.other_share == 0.25


def test_a_name_that_reads_like_one_set_apart_stays_another(server, client):
    server.put("42", [event("(other)"), event("\\(other)")])
    assert names(pulled(client)) == ["\\(other)", "\\\\(other)"]


def test_a_report_of_ten_million_rows_is_blocked_at_its_first_page(server, client):
    server.put("42", [event(f"event_{number}") for number in range(5)])
    server.page_size = 2
    server.decorate = lambda answer: setattr(answer, "row_count", 10_000_000)
    with pytest.raises(AuditError, match="10,000,000 rows, and no more than 500,000") as caught:
        pulled(client)
    assert "report events_by_all" in str(caught.value)
    assert [request.offset for request in server.requests] == [0]


def test_rows_that_never_end_are_not_followed(server, client, monkeypatch):
    """A server that says one row more each time is caught by its count; here by the pages."""
    monkeypatch.setattr(answer_pages, "MOST_PAGES", 3)
    server.put("42", [event(f"event_{number}") for number in range(5)])
    server.page_size = 1
    with pytest.raises(AuditError, match="3 pages hold only 3 of 5 rows"):
        pulled(client)
    assert len(server.requests) == 9


def test_a_page_of_more_rows_than_there_can_be_is_not_read(server, client, monkeypatch):
    monkeypatch.setattr(encoded_answer, "PAGE_ROWS", 4)
    server.put("42", [event(f"event_{number}") for number in range(5)])
    with pytest.raises(AuditError, match="A page holds more than 4 rows, where GA4's end"):
        pulled(client)


def test_a_long_text_is_cut_and_says_so(server, client):
    long = "x" * 20_000
    server.put("42", [event("view_item"), event(f"{long}a", 7), event(f"{long}b", 8)])
    result = pulled(client)
    first, second, third = names(result)
    assert first == "view_item"
    for cut in (second, third):
        assert cut.startswith("x" * 1_000 + "… (cut; 20,001 characters, ")
        assert len(cut) < 1_100
    assert second != third
    assert sorted(result.rows["event_count"].to_pylist()) == [1, 7, 8]


def test_a_text_of_the_greatest_length_is_whole(server, client):
    texts = ["ü" * 2_000, "y" * 2_000]
    server.put("42", [event(text) for text in texts])
    assert names(pulled(client)) == sorted(texts)


def test_a_page_that_the_channel_does_not_take_comes_in_smaller_ones(server, monkeypatch):
    monkeypatch.setattr(client_module, "REPORT_BYTES", 60_000)
    server.put("42", [event(f"event_{number:05}") for number in range(4_000)])
    result = pulled(connect(Ga4(endpoint=server.endpoint)))
    assert result.rows.num_rows == 4_000
    assert result.pages >= 4


def test_an_answer_that_no_page_size_makes_small_is_a_sentence(server, monkeypatch):
    monkeypatch.setattr(client_module, "REPORT_BYTES", 60_000)
    server.put("42", [event("x" * 100_000)])
    with pytest.raises(LargePageError, match="report events_by_all of property 42 is larger"):
        pulled(connect(Ga4(endpoint=server.endpoint)))


def test_the_channels_to_google_have_the_same_limits(monkeypatch):
    options: list[Any] = []

    def create_channel(*_: Any, **given: Any) -> grpc.Channel:
        options.append(given["options"])
        return grpc.insecure_channel("127.0.0.1:1")

    monkeypatch.setattr(BetaAnalyticsDataGrpcTransport, "create_channel", create_channel)
    monkeypatch.setattr(client_module, "_credentials", lambda _: AnonymousCredentials())
    connect(Ga4(endpoint="analytics.example:443"))
    assert options == [[("grpc.max_receive_message_length", size * 2**20)] for size in (20, 2)]


def test_funnels_and_fields_have_an_end_too(server, client):
    def many_rows(answer: Any) -> None:
        for name in ("funnelStepName", "funnelStepNextAction"):
            answer.funnel_visualization.dimension_headers.add(name=name)
        row = answer.funnel_visualization.rows.add()
        row.dimension_values.add(value="1. Sessions")
        answer.funnel_visualization.rows.extend([row] * 10_001)

    server.funnels.decorate = many_rows
    with pytest.raises(AuditError, match=r"The funnel has 10,0\d\d rows, more than 10,000"):
        pulled(client, report("funnel_next_action"))
    server.put("42", [])
    server.custom_dimensions = tuple(f"p{number}" for number in range(10_000))
    with pytest.raises(AuditError, match="more than 10,000"):
        pulled(client, report("metadata"))


@pytest.mark.parametrize("text", ["9" * 100_000, "x" * 100_000])
def test_what_a_sentence_quotes_of_an_answer_is_short(server, client, text):
    server.put("42", [{**event("view_item"), "eventCount": text}])
    server.has_totals = False
    with pytest.raises(Ga4Error) as caught:
        pulled(client)
    assert len(str(caught.value)) < 900


def test_what_a_sentence_quotes_of_a_server_is_short(server, client):
    words = "no, " * 1_000
    server.faults = [Fault(grpc.StatusCode.PERMISSION_DENIED, words)]
    with pytest.raises(Ga4Error) as caught:
        pulled(client)
    assert len(str(caught.value)) < 900
