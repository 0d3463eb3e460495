"""Every fault, through Google's own clients, on the hand-made shop."""

import os
import re
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import get_args

import pytest
import yaml
from google.analytics.data_v1alpha import types as alpha
from google.analytics.data_v1beta import types as ga4
from google.api_core import exceptions
from typer.testing import CliRunner

from pipelines.emulator.server import EmulatorError, serve
from pipelines.emulator.server.faults.actions import Do
from pipelines.emulator.server.faults.matching import Calls, When
from pipelines.emulator.server.faults.plan import parse_plan, read_plan
from pipelines.emulator.server.faults.statuses import StatusName
from pipelines.emulator.server.quota import QuotaLimits
from pipelines.emulator.shopify.faults import Budgets
from pipelines.emulator.shopify.faults import Do as ShopifyDo
from pipelines.emulator.shopify.faults import FaultBook as ShopifyFaultBook
from pipelines.emulator.shopify.faults import When as ShopifyWhen
from tests.support.emulated_shop import NOW, PROPERTY, Shop, values, write_shop

ALL = ("date", "sessions eventCount transactions purchaseRevenue totalUsers")
TRUE_ROWS = {
    ("20260310", "2", "8", "1", "10.1", "2"),
    ("20260311", "3", "7", "1", "20.2", "3"),
}


class Clock:
    """A clock that tests put forward."""

    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> datetime:
        return self.time


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    clock = Clock()
    with serve([write_shop(tmp_path_factory.mktemp("shop"))], now=clock, exact=True) as emulator:
        yield Shop(emulator.endpoint), emulator, clock


@contextmanager
def faults(served, *dos: dict, clock_at: datetime = NOW, **when: object):
    """One rule per `do`, all under the same `when`; afterwards the shop is as it was."""
    shop, emulator, clock = served
    emulator.set_faults([{"when": when, "do": do} for do in dos])
    clock.time = clock_at
    try:
        yield shop
    finally:
        emulator.set_faults([])
        clock.time = NOW


def funnel(shop: Shop, names: str = "page_view view_item"):
    steps = [
        {"name": name, "filter_expression": {"funnel_event_filter": {"event_name": name}}}
        for name in names.split()
    ]
    days = [alpha.DateRange(start_date="2026-03-10", end_date="2026-03-11")]
    return shop.alpha.run_funnel_report(
        alpha.RunFunnelReportRequest(property=PROPERTY, date_ranges=days, funnel={"steps": steps})
    )._pb


@pytest.mark.parametrize(
    ("name", "error", "words"),
    [
        ("concurrent", exceptions.ResourceExhausted, "Exhausted concurrent requests quota."),
        (
            "hourly",
            exceptions.ResourceExhausted,
            "Exhausted property tokens for a project per hour.",
        ),
        ("property_hourly", exceptions.ResourceExhausted, "Exhausted property tokens per hour."),
        ("daily", exceptions.ResourceExhausted, "Exhausted property tokens per day."),
        (
            "thresholded",
            exceptions.ResourceExhausted,
            "Exhausted potentially thresholded requests quota.",
        ),
        ("too_large", exceptions.ResourceExhausted, "larger than max"),
        ("internal", exceptions.InternalServerError, "Internal error encountered."),
        ("unavailable", exceptions.ServiceUnavailable, "currently unavailable"),
        ("bad_gateway", exceptions.ServiceUnavailable, "status: 502"),
        ("unknown", exceptions.Unknown, "Stream removed"),
        ("aborted", exceptions.Aborted, "was aborted"),
        ("cancelled", exceptions.Cancelled, "was cancelled"),
        ("data_loss", exceptions.DataLoss, "data loss"),
        ("deadline", exceptions.DeadlineExceeded, "Deadline Exceeded"),
        ("incompatible", exceptions.InvalidArgument, "Please remove itemListClickEvents to make"),
        ("unauthenticated", exceptions.Unauthenticated, "invalid authentication credentials"),
        ("forbidden", exceptions.PermissionDenied, "does not have sufficient permissions"),
        ("disabled", exceptions.PermissionDenied, "has not been used in project"),
        ("not_found", exceptions.NotFound, "not found"),
        ("unimplemented", exceptions.MethodNotImplemented, "is not implemented, or supported"),
    ],
)
def test_statuses(tmp_path, name: str, error: type, words: str):
    # A shop of its own each time: ten server errors would use up the quota of another.
    with serve([write_shop(tmp_path)], now=Clock(), exact=True) as emulator:
        emulator.set_faults([{"do": {"status": name}}])
        shop = Shop(emulator.endpoint)
        with pytest.raises(error, match=words):
            shop.report(*ALL)
        with pytest.raises(error, match=words):
            funnel(shop)
        with pytest.raises(error, match=words):
            shop.client.get_metadata(name=f"{PROPERTY}/metadata")
        emulator.set_faults([{"do": {"status": name, "message": "Other words."}}])
        with pytest.raises(error, match="Other words"):
            shop.report(*ALL)
        emulator.set_faults([])
        assert shop.rows(*ALL) == TRUE_ROWS


def test_a_burst_of_server_errors_uses_up_its_quota(tmp_path):
    clock = Clock()
    with serve([write_shop(tmp_path)], now=clock, exact=True) as emulator:
        shop = Shop(emulator.endpoint)
        emulator.set_faults([{"do": {"status": "unavailable"}}])
        for _ in range(10):
            with pytest.raises(exceptions.ServiceUnavailable):
                shop.report(*ALL)
        emulator.set_faults([])
        with pytest.raises(exceptions.ResourceExhausted, match="Exhausted server errors quota"):
            shop.report(*ALL)
        clock.time += timedelta(hours=1)
        assert shop.rows(*ALL) == TRUE_ROWS
        assert [one.status for one in emulator.requests] == [
            *["UNAVAILABLE"] * 10,
            "RESOURCE_EXHAUSTED",
            "OK",
        ]


def test_rules_hit_only_what_they_name(served):
    cases = [
        ({"method": "RunFunnelReport"}, False),
        ({"method": ["RunReport", "GetMetadata"]}, True),
        ({"property": 100000001}, True),
        ({"property": ["7"]}, False),
        ({"dimensions": "deviceCategory"}, True),
        ({"exact_dimensions": ["deviceCategory"]}, False),
        ({"exact_dimensions": ["deviceCategory", "date"]}, True),
        ({"metrics": ["sessions"]}, True),
        ({"metrics": ["sessions", "eventCount"]}, False),
        ({"events": ["purchase", "scroll"]}, True),
        ({"events": "add_to_cart"}, False),
        ({"dates": "2026-03-10"}, True),
        ({"dates": ["2026-03-09"]}, False),
        ({"dates": {"from": "2026-03-12"}}, False),
        ({"dates": {"to": "2026-03-10"}}, True),
        ({"limit_above": 4_999}, True),
        ({"limit_above": 5_000}, False),
        ({"offset_above": 0}, False),
        ({"since": NOW}, True),
        ({"until": NOW}, False),
        ({"events": "purchase", "limit_above": 5_000}, False),
    ]
    only = ga4.FilterExpression(
        filter={"field_name": "eventName", "in_list_filter": {"values": ["purchase"]}}
    )
    for when, is_hit in cases:
        with faults(served, {"currency": "XXX"}, **when) as shop:
            answer = shop.report(
                "date deviceCategory", "sessions", dimension_filter=only, limit=5_000
            )
        assert (answer.metadata.currency_code == "XXX") == is_hit, when


@pytest.mark.parametrize(
    ("calls", "hits"),
    [
        ({"nth": 2}, [2]),
        ({"nth": [1, 3]}, [1, 3]),
        ({"first": 2}, [1, 2]),
        ({"after": 4}, [5, 6]),
        ({"every": 3}, [3, 6]),
        ({"after": 2, "every": 2}, [4, 6]),
    ],
)
def test_calls_are_counted(served, calls: dict, hits: list[int]):
    with faults(served, {"row_count_add": 1}, calls=calls) as shop:
        counts = [shop.report("date", "sessions").row_count for _ in range(6)]
    assert [place for place, count in enumerate(counts, 1) if count == 3] == hits


def test_a_share_of_calls_is_drawn_and_stays_the_same(served):
    def hits(seed: int) -> list[bool]:
        when = {"calls": {"share": 0.3, "seed": seed}}
        with faults(served, {"row_count_add": 1}, **when) as shop:
            return [shop.report("date", "sessions").row_count == 3 for _ in range(60)]

    first, second = hits(1), hits(2)
    # 18 of 60, give or take four times 3.5.
    assert 4 <= sum(first) <= 32
    assert hits(1) == first != second


def test_a_deadline_for_large_pages_only(served):
    with faults(served, {"status": "deadline"}, limit_above=1_000) as shop:
        with pytest.raises(exceptions.DeadlineExceeded):
            shop.report(*ALL)  # no limit is a limit of 10,000
        assert {values(row) for row in shop.report(*ALL, limit=1_000).rows} == TRUE_ROWS


def test_the_row_count_changes_between_pages(served):
    with faults(served, {"row_count_add": 3}, offset_above=0) as shop:
        pages = [shop.report(*ALL, limit=1, offset=offset) for offset in (0, 1)]
    assert [page.row_count for page in pages] == [2, 5]


def test_rows_of_a_page_are_doubled_or_missing(served):
    by_date = [ga4.OrderBy(dimension={"dimension_name": "date"})]

    def dates(do: dict) -> tuple[list[str], int]:
        with faults(served, do) as shop:
            answer = shop.report("date", "sessions", order_bys=by_date)
        return [values(row)[0] for row in answer.rows], answer.row_count

    assert dates({"duplicate_rows": 1}) == (["20260310", "20260310"], 2)
    assert dates({"extra_rows": 1}) == (["20260310", "20260311", "20260310"], 2)
    assert dates({"missing_rows": 1}) == (["20260310"], 2)


def test_other_rows_in_a_dimension(served):
    with faults(served, {"other": {"dimension": "eventName", "keep": 1}}) as shop:
        answer = shop.report("eventName", "eventCount", metric_aggregations=["TOTAL"])
    assert {values(row) for row in answer.rows} == {("page_view", "3"), ("(other)", "12")}
    assert values(answer.totals[0])[1] == "15"
    assert answer.metadata.data_loss_from_other_row
    assert not served[0].report("eventName", "eventCount").metadata.data_loss_from_other_row


def test_the_smallest_rows_of_every_date_are_one(served):
    with faults(served, {"other": {"keep": 2}}) as shop:
        answer = shop.report("date eventName", "eventCount sessions", metric_aggregations=["TOTAL"])
        views = ga4.FilterExpression(
            filter={"field_name": "eventName", "string_filter": {"value": "scroll_depth"}}
        )
        few = shop.rows("eventName", "eventCount", dimension_filter=views)
    # 10 March: two page views, then one each of six; 11 March: purchases are two. Of equal rows
    # the first by name stays.
    assert {values(row) for row in answer.rows} == {
        ("20260310", "page_view", "2", "2"),
        ("20260310", "begin_checkout", "1", "1"),
        ("20260310", "(other)", "5", "2"),
        ("20260311", "purchase", "2", "2"),
        ("20260311", "add_to_cart", "1", "1"),
        ("20260311", "(other)", "4", "2"),
    }
    assert values(answer.totals[0])[2] == "15"
    assert answer.metadata.data_loss_from_other_row
    assert few == {("scroll_depth", "2")}


def test_other_rows_in_the_date(served):
    with faults(served, {"other": {"dimension": "date", "keep": 1}}) as shop:
        assert shop.rows("date", "eventCount") == {("20260310", "8"), ("(other)", "7")}
    with faults(served, {"other": {"dimension": "date", "share": 1}}) as shop:
        assert shop.rows("date", "eventCount") == {("(other)", "15")}


def test_items_are_rolled_up_too(served):
    with faults(served, {"other": {"dimension": "itemId", "keep": 1}}) as shop:
        assert shop.rows("itemId", "itemsViewed") == {("sku1", "2"), ("(other)", "2")}


def test_thresholded_rows_vanish_and_the_total_keeps_them(served):
    with faults(served, {"threshold": {"min_users": 2}}) as shop:
        answer = shop.report("pagePath", "eventCount", metric_aggregations=["TOTAL"])
        quota = shop.report("date", "sessions", return_property_quota=True).property_quota
    # Both pages have two users; the path that only the rest has, three.
    rows = {values(row) for row in answer.rows}
    with faults(served, {"threshold": {"min_users": 3}}) as shop:
        fewer = shop.report("pagePath", "eventCount", metric_aggregations=["TOTAL"])
    assert len(rows) == 3
    assert [values(row)[0] for row in fewer.rows] == ["(not set)"]
    assert fewer.row_count == 1
    assert values(fewer.totals[0])[1] == values(answer.totals[0])[1] == "15"
    assert answer.metadata.subject_to_thresholding
    assert quota.potentially_thresholded_requests_per_hour.remaining == 118


def test_thresholded_requests_run_out(served):
    shop, emulator, _ = served
    emulator.set_faults(
        {
            "rules": [{"when": {"dimensions": "country"}, "do": {"threshold": {"min_users": 1}}}],
            "quota": {"potentially_thresholded_requests_per_hour": 0},
        }
    )
    with pytest.raises(exceptions.ResourceExhausted, match="potentially thresholded"):
        shop.report("country", "sessions")
    assert shop.rows(*ALL) == TRUE_ROWS
    emulator.set_faults([])


def test_sampling_is_said_and_projects(served):
    with faults(served, {"sampling": {"share": 0.5}}) as shop:
        answer = shop.report("", "totalUsers eventCount")
        sampled = funnel(shop).funnel_table.metadata.sampling_metadatas
    (said,) = answer.metadata.sampling_metadatas
    assert (said.samples_read_count, said.sampling_space_size) == (8, 15)
    assert [(one.samples_read_count, one.sampling_space_size) for one in sampled] == [(8, 15)]
    # Every user that was read stands for two.
    assert all(int(value) % 2 == 0 for row in answer.rows for value in values(row))


def test_restricted_metrics_are_zeros_and_named(served):
    restrict = {"restrict": {"metrics": ["purchaseRevenue", "itemRevenue"]}}
    with faults(served, restrict) as shop:
        answer = shop.report("date", "sessions purchaseRevenue", metric_aggregations=["TOTAL"])
        nothing = shop.report("date", "sessions")
    assert {values(row) for row in answer.rows} == {("20260310", "2", "0"), ("20260311", "3", "0")}
    assert values(answer.totals[0])[2] == "0"
    (one,) = answer.metadata.schema_restriction_response.active_metric_restrictions
    assert one.metric_name == "purchaseRevenue"
    assert list(one.restricted_metric_types) == [ga4.RestrictedMetricType.REVENUE_DATA]
    assert not nothing.metadata.HasField("schema_restriction_response")


def test_an_empty_property(served):
    with faults(served, {"empty": {"reason": "NO_DATA"}}) as shop:
        answer = shop.report(*ALL, metric_aggregations=["TOTAL"])
        assert not funnel(shop).funnel_table.rows
    assert (answer.row_count, len(answer.rows), len(answer.totals)) == (0, 0, 0)
    assert answer.metadata.empty_reason == "NO_DATA"


def test_a_restated_day_counts_everything_again(served):
    restate = {"restate": {"dates": ["2026-03-11"], "factor": 3}}
    with faults(served, restate) as shop:
        assert shop.rows(*ALL) == {
            ("20260310", "2", "8", "1", "10.1", "2"),
            ("20260311", "9", "21", "3", "60.6", "9"),
        }
        assert shop.rows("deviceCategory", "transactions") == {("desktop", "1"), ("(not set)", "3")}
        assert shop.rows("itemId", "itemsPurchased") == {("sku1", "1"), ("sku2", "6")}
        first = funnel(shop, "add_to_cart").funnel_table.rows[0]
        assert values(first)[:2] == ("1. add_to_cart", "3")
    with faults(served, restate, restate) as shop:
        assert ("20260311", "27") in shop.rows("date", "sessions")
    with faults(served, {"restate": {"dates": ["2026-03-11"], "factor": 0}}) as shop:
        assert shop.rows("date", "sessions") == {("20260310", "2")}


def test_a_vanished_key(served):
    vanish = {"events": ["scroll_depth", "purchase"], "dates": {"from": "2026-03-11"}}
    with faults(served, {"vanish": vanish}) as shop:
        rows = shop.rows("date eventName", "eventCount")
        assert ("20260310", "purchase", "1") in rows
        assert not {row[1] for row in rows if row[0] == "20260311"} & {"purchase", "scroll_depth"}
    with faults(served, {"vanish": {"where": {"deviceCategory": "desktop"}}}) as shop:
        assert shop.rows("deviceCategory", "sessions") == {("mobile", "1"), ("(not set)", "1")}


def test_rows_that_are_attributed_anew(served):
    rename = {"dimension": "sessionDefaultChannelGroup", "from": "Direct", "to": "Organic Search"}
    with faults(served, {"rename": rename}) as shop:
        assert shop.rows("sessionDefaultChannelGroup", "sessions") == {
            ("Organic Search", "3"),
            ("(not set)", "1"),
        }


def test_late_rows_come_with_time(served):
    seen = NOW + timedelta(hours=5)
    late = {"dates": ["2026-03-11"], "events": "purchase", "visible_from": seen}
    for clock_at, purchases in ((NOW, "1"), (seen - timedelta(seconds=1), "1"), (seen, "3")):
        with faults(served, {"late": late}, clock_at=clock_at) as shop:
            assert shop.rows("", "ecommercePurchases") == {(purchases,)}


def test_currency_and_time_zone_change_at_a_moment(served):
    moved = {"currency": "USD", "time_zone": "America/New_York"}
    changed = NOW + timedelta(hours=1)
    yesterday = [ga4.DateRange(start_date="yesterday", end_date="yesterday")]
    for clock_at, said, day in (
        (NOW, ("EUR", "Europe/Berlin"), "20260311"),
        (changed, ("USD", "America/New_York"), "20260310"),
    ):
        with faults(served, moved, clock_at=clock_at, since=changed) as shop:
            answer = shop.report("date", "sessions", date_ranges=yesterday)
        assert (answer.metadata.currency_code, answer.metadata.time_zone) == said
        assert [values(row)[0] for row in answer.rows] == [day]


def test_truncation_is_said(served):
    truncate = {"before": "2026-03-11", "type": "DATA_TRUNCATION_TYPE_DATE_RANGE"}
    with faults(served, {"truncate": truncate}) as shop:
        answer = shop.report("date", "sessions")
    assert [values(row) for row in answer.rows] == [("20260311", "3")]
    (reason,) = answer.metadata.data_truncation_reasons
    assert reason.data_truncation_date == "2026-03-11"
    assert reason.data_truncation_type == 7
    assert reason.data_truncation_message


def test_fields_that_go(served):
    with faults(served, {"hide_fields": ["customEvent:page_type", "itemName"]}) as shop:
        found = shop.client.get_metadata(name=f"{PROPERTY}/metadata")
        names = {one.api_name for one in found.dimensions}
        assert not names & {"customEvent:page_type", "itemName"}
        assert "customEvent:percent_scrolled" in names
        with pytest.raises(exceptions.InvalidArgument, match="itemName is not a valid dimension"):
            shop.report("itemName", "itemsViewed")


def test_faults_add_up_and_reach_batches(served):
    dos = [{"currency": "USD"}, {"row_count_add": 1}]
    with faults(served, *dos, method="BatchRunReports") as shop:
        one = ga4.RunReportRequest(
            metrics=[ga4.Metric(name="sessions")],
            date_ranges=[ga4.DateRange(start_date="2026-03-10", end_date="2026-03-11")],
        )
        answer = shop.client.batch_run_reports({"property": PROPERTY, "requests": [one]})
        assert shop.report("", "sessions").row_count == 1
    assert answer.reports[0].row_count == 2
    assert answer.reports[0].metadata.currency_code == "USD"


def test_the_log_counts_requests_and_tokens(tmp_path):
    with serve([write_shop(tmp_path)], now=Clock(), exact=True) as emulator:
        shop = Shop(emulator.endpoint)
        shop.report("date deviceCategory", "sessions")
        funnel(shop)
        emulator.set_faults({"quota": {"price_factor": 5}})
        shop.report("date deviceCategory", "sessions")
        report, steps, dear = emulator.requests
    assert (report.asked.method, report.asked.dimensions, report.tokens, report.status) == (
        "RunReport",
        ("date", "deviceCategory"),
        1,
        "OK",
    )
    assert dear.tokens == 5
    assert steps.asked.method == "RunFunnelReport"
    assert steps.asked.events == {"page_view", "view_item"}
    assert steps.asked.date_ranges[0].days == 2


FILE = """
quota: {tokens_per_project_per_hour: 2, funnel: {tokens_per_hour: 1}}
clock: 2026-03-12T05:30:00Z
rules:
  - when: {method: RunReport, calls: {first: 1}}
    do: {currency: USD}
"""


def test_a_faults_file_is_read_again_when_it_changes(tmp_path):
    path = tmp_path / "faults.yml"
    path.write_text(FILE)
    with serve(
        [write_shop(tmp_path / "shop")], now=lambda: NOW, faults=path, exact=True
    ) as emulator:
        shop = Shop(emulator.endpoint)
        currencies = [shop.report(*ALL).metadata.currency_code for _ in range(2)]
        assert currencies == ["USD", "EUR"]
        with pytest.raises(exceptions.ResourceExhausted, match="for a project per hour"):
            shop.report(*ALL)
        funnel(shop)
        with pytest.raises(exceptions.ResourceExhausted, match="tokens per hour"):
            funnel(shop)
        path.write_text(FILE.replace("05:30", "06:30"))
        assert shop.report(*ALL).metadata.currency_code == "USD"  # the hour and the count are new
        path.write_text("rules: [{do: {statuss: daily}}]")
        os.utime(path, ns=(1, 1))
        with pytest.raises(exceptions.FailedPrecondition, match=r"rules\.0\.do\.statuss"):
            shop.report(*ALL)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("rules: [", "not valid YAML near line 1"),
        ("rulez: []", "rulez"),
        ("rules: [{do: {status: dayly}}]", r"rules\.0\.do\.status"),
        ("rules: [{when: {method: runReport}, do: {}}]", "method"),
        ("rules: [{do: {other: {dimension: date}}}]", "either keep or share"),
        ("clock: 2026-03-12T05:30:00", "clock"),
        ("rules: [{when: {sinse: 1}, do: {}}]", "sinse"),
        ("rules: [{do: {time_zone: Europe/Sluice}}]", "it is no IANA time zone"),
        ("rules: [{do: {truncate: {type: MUCH}}}]", "DATA_TRUNCATION_TYPE_DATE_RANGE"),
    ],
)
def test_a_wrong_faults_file_stops_the_start(tmp_path, content: str, words: str):
    path = tmp_path / "faults.yml"
    path.write_text(content)
    with pytest.raises(EmulatorError, match=words):
        serve([write_shop(tmp_path / "shop")], faults=path)


def test_a_missing_faults_file_is_named(tmp_path):
    with pytest.raises(EmulatorError, match=r"nowhere\.yml"):
        serve([write_shop(tmp_path)], faults=tmp_path / "nowhere.yml")


def test_unknown_dimensions_of_a_fault_are_said(served):
    for do in (
        {"other": {"dimension": "xyz", "keep": 1}},
        {"rename": {"dimension": "xyz", "from": "a", "to": "b"}},
        {"vanish": {"where": {"itemId": "a"}}},
    ):
        with (
            faults(served, do) as shop,
            pytest.raises(exceptions.FailedPrecondition, match="The faults name"),
        ):
            shop.report(*ALL)


def test_the_command_takes_a_faults_file(tmp_path, monkeypatch):
    from pipelines.cli.app import app
    from pipelines.emulator import server

    path = tmp_path / "faults.yml"
    path.write_text("rules: [{do: {currency: USD}}]")
    seen: list[str] = []

    def answer(emulator: server.Emulator) -> None:
        seen.append(Shop(emulator.endpoint).report(*ALL).metadata.currency_code)

    monkeypatch.setattr(server.Emulator, "wait", answer)
    arguments = ["emulator", "--events", str(write_shop(tmp_path / "s")), "--faults", str(path)]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, seen) == (0, ["USD"]), result.output


def test_the_examples_of_the_docs_can_be_used(tmp_path):
    document = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
    text, _, of_shopify = document.partition("\n## Shopify\n")
    _use_examples_of_shopify(of_shopify)
    whole = re.search(r"```yaml\n(.*?)```", text, re.S)
    (tmp_path / "faults.yml").write_text(whole[1], encoding="utf-8")
    read_plan(tmp_path / "faults.yml")
    rows = [line for line in text.splitlines() if line.startswith("|")]
    dos = [one for row in rows for one in re.findall(r"`(\{[a-z_]+: .*?\})`", row)]
    whens = [one for row in rows for one in re.findall(r"`when: (\{.*?\})`", row)]
    dos += [one for row in rows for one in re.findall(r"`do: (\{.*?\})`", row)]
    # Those of `when.calls` and `when.dates` stand in the same kind of brackets.
    calls = {one for one in dos if re.match(r"\{(nth|first|after|every|share)\b", one)}
    spans = {one for one in dos if one.startswith("{from")}
    parse_plan(
        [{"do": yaml.safe_load(one)} for one in dos if one not in calls | spans]
        + [{"when": yaml.safe_load(one), "do": {}} for one in whens]
        + [{"when": {"calls": yaml.safe_load(one)}, "do": {}} for one in calls]
        + [{"when": {"dates": yaml.safe_load(one)}, "do": {}} for one in spans],
        "an example",
    )
    words = {*Do.model_fields, *get_args(StatusName), *Calls.model_fields, *QuotaLimits().__dict__}
    words |= {field.alias or name for name, field in When.model_fields.items()}
    assert not {word for word in words if not re.search(rf"\b{word}\b", text)}


def _use_examples_of_shopify(text):
    rows = [line for line in text.splitlines() if line.startswith("|")]
    dos = [one for row in rows for one in re.findall(r"`(\{[a-z_]+: .*?\})`", row)]
    ShopifyFaultBook().set([{"do": yaml.safe_load(one)} for one in dos])
    words = {*ShopifyDo.model_fields, *ShopifyWhen.model_fields, *Budgets.model_fields}
    assert dos
    assert not {word for word in words if not re.search(rf"\b{word}\b", text)}
    with pytest.raises(EmulatorError, match="The faults given cannot be used"):
        ShopifyFaultBook().set([{"do": {"explode": True}}])
