"""Closed funnels through v1alpha: what is asked, and what is made of the odd answers."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import grpc
import pyarrow as pa
import pytest
from google.analytics.data_v1alpha import types as alpha
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.tracking_plan import (
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    TrackingPlan,
    load_plan,
)
from pipelines.ga4.api_errors import AuditError, Ga4Error, QuotaError, RequestRefusedError
from pipelines.ga4.client import Ga4Client
from pipelines.ga4.date_windows import trailing
from pipelines.ga4.decode.funnel_answer import fill_steps, read_steps, refuse_growth
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.funnel_request import funnel_request
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from tests.support.protocol_funnel import FunnelResponse, Hit
from tests.support.protocol_server import ProtocolServer, serving

RECORDED = Path(__file__).parents[4] / "shared" / "data" / "ga4_api" / "runFunnelReport_real.json"
START, END = date(2026, 3, 1), date(2026, 3, 2)
VIEW = MicroConversion("product_view", ("view_item",), (), family="progression")
CART = MicroConversion("cart_view", ("view_cart",), ())
ADD = MicroConversion("add_to_cart", ("add_to_cart",), (), family="intent")
SCROLL = MicroConversion(
    "scroll_50",
    ("scroll_depth", "scroll"),
    (ParameterCondition("percent", ">=", "50"), ParameterCondition("kind", "=", "product")),
    family="engagement",
    parent_key="product_view",
)
CORE = Funnel("core", (FunnelStep(0, None), FunnelStep(1, VIEW), FunnelStep(2, ADD)))
LONG = Funnel(
    "extended",
    (FunnelStep(0, None), FunnelStep(1, VIEW), FunnelStep(2, CART, True), FunnelStep(3, ADD)),
)


def plan(*funnels: Funnel, micros: tuple[MicroConversion, ...] = ()) -> TrackingPlan:
    return TrackingPlan(micros, (), funnels)


def spec_of(plan: TrackingPlan, name: str = "funnel") -> ReportSpec:
    return next(spec for spec in build_reports(plan) if spec.name == name)


@pytest.fixture
def server() -> Iterator[ProtocolServer]:
    with serving() as server:
        server.put("42", [])
        server.funnels.hits = HITS
        yield server


def journey(user: str, day: str, device: str, *names: str) -> list[Hit]:
    return [Hit(user, day, name, device) for name in names]


# 1 March: ann adds, ben only looks, cat adds without having looked. 2 March: ben adds at once
# after looking, on the desktop; dan comes and leaves.
HITS = [
    *journey("ann", "2026-03-01", "mobile", "session_start", "view_item", "page_view",
             "add_to_cart"),
    *journey("ben", "2026-03-01", "mobile", "session_start", "view_item"),
    *journey("cat", "2026-03-01", "desktop", "session_start", "add_to_cart", "view_item"),
    *journey("ben", "2026-03-02", "desktop", "session_start", "view_item", "add_to_cart"),
    *journey("dan", "2026-03-02", "mobile", "session_start", "page_view"),
]  # fmt: skip


def pulled(client: Ga4Client, spec: ReportSpec, start: date = START, end: date = END) -> Pull:
    return pull(client, "42", spec, start, end)


def users(result: Pull, window: str = "1d", end: date = START, funnel: str = "core") -> dict:
    """Device → users of each step, by step number."""
    found: dict[str, dict[int, int]] = {}
    for row in result.rows.to_pylist():
        if (row["window_name"], row["date"], row["funnel"]) == (window, end, funnel):
            found.setdefault(row["device_category"], {})[row["step_number"]] = row["active_users"]
    return {device: [steps[n] for n in sorted(steps)] for device, steps in found.items()}


def seen_events(server: ProtocolServer, *names: str) -> None:
    """Events that the server says were sent in the 28 days."""
    server.put(
        "42", [{"eventName": name, "eventCount": str(9 - n)} for n, name in enumerate(names)]
    )


def test_a_closed_funnel_by_day_and_over_28_days(server, client):
    result = pulled(client, spec_of(plan(CORE)))
    # cat added before she looked: not in the last step.
    assert users(result) == {"all": [3, 3, 1], "mobile": [2, 2, 1], "desktop": [1, 1, 0]}
    # Nobody on a mobile looked on 2 March: the answer lacks the steps, and they are 0.
    assert users(result, end=END) == {
        "all": [2, 1, 1], "mobile": [1, 0, 0], "desktop": [1, 1, 1],
    }  # fmt: skip
    # ben is one user of 28 days, and entered on his mobile.
    assert users(result, "28d", END) == {
        "all": [4, 3, 2], "mobile": [3, 2, 2], "desktop": [1, 1, 0],
    }  # fmt: skip
    assert result.rows.schema.field("step_number").type == pa.int32()
    assert list(result.rows.schema.names) == list(spec_of(plan(CORE)).columns)
    steps = {(row["step_number"], row["step_key"]) for row in result.rows.to_pylist()}
    assert steps == {(0, "sessions"), (1, "product_view"), (2, "add_to_cart")}
    starts = {
        (row["window_name"], row["date"], row["window_start"]) for row in result.rows.to_pylist()
    }
    assert starts == {
        ("1d", START, START), ("1d", END, END), ("28d", END, date(2026, 2, 3)),
    }  # fmt: skip
    assert result.partitions.to_pylist() == [
        {"date": END, "window_name": "28d"},
        {"date": START, "window_name": "1d"},
        {"date": END, "window_name": "1d"},
    ]
    (request,) = server.funnels.requests
    assert [(one.name, one.start_date, one.end_date) for one in request.date_ranges] == [
        ("28d", "2026-02-03", "2026-03-02"),
        ("2026-03-01", "2026-03-01", "2026-03-01"),
        ("2026-03-02", "2026-03-02", "2026-03-02"),
    ]
    assert (result.pages, result.tokens) == (1, 9)
    # Every step of the core funnel is asked for, sent or not: nobody need be asked.
    assert server.requests == []


def test_four_date_ranges_in_a_request(server, client):
    result = pulled(client, spec_of(plan(CORE)), date(2026, 2, 21), END)
    assert [len(one.date_ranges) for one in server.funnels.requests] == [4, 4, 3]
    assert result.partitions.num_rows == 11
    # A day without anybody has no rows; it is not a day of zeros.
    assert users(result, end=date(2026, 2, 25)) == {}
    assert users(result, end=START) == {"all": [3, 3, 1], "mobile": [2, 2, 1], "desktop": [1, 1, 0]}


@pytest.mark.parametrize("label", ["date_range_{0}", "{0}", "{1}"])
def test_a_date_range_may_be_told_by_its_index(server, client, label):
    server.funnels.range_label = label.format
    result = pulled(client, spec_of(plan(CORE)))
    assert users(result) == {"all": [3, 3, 1], "mobile": [2, 2, 1], "desktop": [1, 1, 0]}
    assert users(result, "28d", END)["all"] == [4, 3, 2]


def test_optional_steps_that_nobody_sends_are_left_out(server, client):
    seen_events(server, "view_item", "add_to_cart")
    result = pulled(client, spec_of(plan(LONG)))
    assert users(result, funnel="extended")["all"] == [3, 3, 1]
    assert {row["step_number"] for row in result.rows.to_pylist()} == {0, 1, 3}
    assert result.notes == ("extended without cart_view (no such event)",)
    (asked,) = server.requests
    assert list(asked.dimension_filter.and_group.expressions[0].filter.in_list_filter.values) == [
        "add_to_cart", "view_cart", "view_item",
    ]  # fmt: skip
    assert asked.date_ranges[0].start_date == "2026-02-03"


def test_where_no_event_is_reported_no_step_is_called_untracked(server, client):
    """A server that answers without rows must not replace whole funnels by shorter ones."""
    with pytest.raises(Ga4Error, match="none of the funnels' events of property 42") as caught:
        pulled(client, spec_of(plan(LONG)))
    # It is no refusal of GA4's: a later night tries these days again.
    assert type(caught.value) is Ga4Error
    assert server.funnels.requests == []


def lose_half(answer) -> None:
    for row in answer.totals:
        for value in row.metric_values:
            value.value = str(2 * float(value.value))


def set_metadata(**fields) -> Callable:
    return lambda answer: answer.metadata.MergeFrom(type(answer.metadata)(**fields))


NO_PROOF: dict[str, Callable] = {
    "folded": set_metadata(data_loss_from_other_row=True),
    "thresholded": set_metadata(subject_to_thresholding=True),
    "sampled": set_metadata(sampling_metadatas=[{"samples_read_count": 1}]),
    "truncated": set_metadata(data_truncation_reasons=[{"data_truncation_message": "too much"}]),
    "short of its total": lose_half,
}


@pytest.mark.parametrize(
    ("name", "events"),
    [*((name, ("view_item", "add_to_cart")) for name in NO_PROOF), ("folded", ())],
)
def test_a_list_of_events_that_is_not_whole_calls_no_step_untracked(server, client, name, events):
    server.decorate = NO_PROOF[name]
    seen_events(server, *events)
    spec = spec_of(plan(LONG, micros=(VIEW, SCROLL, ADD)))
    result = pulled(client, spec)
    # Nobody viewed the cart, so nobody added in this order.
    assert users(result, funnel="extended")["all"] == [3, 3, 0, 0]
    assert "lift_scroll_50" in result.rows["funnel"].to_pylist()
    assert result.notes == ()
    assert result.spec.version == spec.version


def test_which_steps_were_asked_for_is_the_version_of_a_pull(server, client):
    seen_events(server, "view_item", "add_to_cart")
    spec = spec_of(plan(LONG, micros=(VIEW, SCROLL, ADD)))
    without = pulled(client, spec).spec.version
    assert without == pulled(client, spec, END).spec.version != spec.version
    # A lift funnel has no days.
    seen_events(server, "view_item", "add_to_cart", "scroll")
    assert pulled(client, spec).spec.version == without
    seen_events(server, "view_item", "add_to_cart", "view_cart")
    assert pulled(client, spec).spec.version not in {without, spec.version}


def test_optional_steps_that_somebody_sends_are_steps(server, client):
    seen_events(server, "view_cart")
    server.funnels.hits = [*HITS, *journey("eve", "2026-03-01", "tablet", "session_start",
        "view_item", "view_cart", "add_to_cart")]  # fmt: skip
    result = pulled(client, spec_of(plan(LONG)))
    assert users(result, funnel="extended")["tablet"] == [1, 1, 1, 1]
    assert users(result, funnel="extended")["all"] == [4, 4, 1, 1]
    assert result.notes == ()


def scrolled(user: str, percent: str, kind: str, *then: str) -> list[Hit]:
    parameters = {"percent": percent, "kind": kind}
    return [
        Hit(user, "2026-03-01", "view_item"),
        Hit(user, "2026-03-01", "scroll", parameters=parameters),
        *(Hit(user, "2026-03-01", name) for name in then),
    ]


def test_a_lift_funnel_filters_by_the_events_own_parameters(server, client):
    seen_events(server, "view_item", "scroll", "add_to_cart")
    server.funnels.hits = [
        *scrolled("ann", "75", "product", "add_to_cart"),
        *scrolled("ben", "50", "product"),
        *scrolled("cat", "25", "product", "add_to_cart"),
        *scrolled("dan", "90", "home", "add_to_cart"),
    ]
    result = pulled(client, spec_of(plan(CORE, micros=(VIEW, SCROLL, ADD))))
    assert users(result, "28d", END, "lift_scroll_50") == {"all": [4, 2, 1], "mobile": [4, 2, 1]}
    assert users(result, "1d", START, "lift_scroll_50") == {}
    # All four viewed, and ann, cat and dan added: what the lift is compared with.
    assert users(result, "28d", END, "view_to_add") == {"all": [4, 3], "mobile": [4, 3]}
    assert [row["step_key"] for row in result.rows.to_pylist()[-3:]] == [
        "product_view", "scroll_50", "add_to_cart",
    ]  # fmt: skip


def test_a_lift_funnel_without_its_event_is_not_asked_for(server, client):
    seen_events(server, "view_item", "add_to_cart")
    result = pulled(client, spec_of(plan(CORE, micros=(VIEW, SCROLL, ADD))))
    # The core funnel, and the view to the cart that needs no third event.
    assert len(server.funnels.requests) == 2
    assert result.notes == ("lift_scroll_50 without scroll_50 (no such event)",)


def test_next_actions(server, client):
    result = pulled(client, spec_of(plan(CORE), "funnel_next_action"))
    rows = [
        (row["step_key"], row["next_action"], row["active_users"])
        for row in result.rows.to_pylist()
    ]
    assert sorted(rows) == [
        # ann and ben (by his first visit) did nothing between start and view; cat and dan did.
        ("add_to_cart", "(all)", 2),
        ("product_view", "(all)", 3),
        ("product_view", "page_view", 1),
        ("product_view", "session_start", 1),
        ("sessions", "(all)", 4),
        ("sessions", "add_to_cart", 1),
        ("sessions", "page_view", 1),
    ]
    windows = {(row["window_name"], row["date"]) for row in result.rows.to_pylist()}
    assert windows == {("28d", END)}
    assert set(result.rows["window_start"].to_pylist()) == {date(2026, 2, 3)}
    assert {(row["funnel"], row["device_category"]) for row in result.rows.to_pylist()} == {
        ("core", "all")
    }
    assert result.partitions.to_pylist() == [{"date": END, "window_name": "28d"}]
    (request,) = server.funnels.requests
    assert request.funnel_next_action.next_action_dimension.name == "eventName"
    assert request.funnel_next_action.limit == 5
    assert list(result.rows.schema.names) == list(spec_of(plan(CORE), "funnel_next_action").columns)


def test_nobody_at_all_is_an_empty_report(server, client):
    server.funnels.hits = []
    for name in ("funnel", "funnel_next_action"):
        spec = spec_of(plan(CORE), name)
        result = pulled(client, spec)
        assert result.rows.num_rows == 0
        assert result.rows.column_names == list(spec.columns)
        assert result.partitions.num_rows > 0


def test_an_answer_without_anything_is_an_empty_report(server, client):
    server.funnels.decorate = lambda answer: answer.Clear()
    assert pulled(client, spec_of(plan(CORE))).rows.num_rows == 0


def sample(answer) -> None:
    answer.funnel_table.metadata.sampling_metadatas.add(
        samples_read_count=1, sampling_space_size=10
    )


def test_sampling_is_told(server, client):
    server.funnels.decorate = sample
    assert pulled(client, spec_of(plan(CORE))).flags.is_sampled


def test_a_refused_funnel_leaves_the_others(server, client):
    server.funnels.refuse = lambda request: (
        "Too many steps." if len(request.funnel.steps) > 3 else ""
    )
    seen_events(server, "view_cart")
    result = pulled(client, spec_of(plan(CORE, LONG)))
    assert set(result.rows["funnel"].to_pylist()) == {"core"}
    (note,) = result.notes
    assert note.startswith("extended not at all (GA4 refuses")
    assert "Too many steps." in note


def test_when_all_are_refused_the_report_is(server, client):
    seen_events(server, "view_item")
    server.funnels.refuse = lambda request: "Funnels are over."
    with pytest.raises(RequestRefusedError, match=r"Funnels are over\."):
        pulled(client, spec_of(plan(CORE, LONG)))


def test_another_error_is_no_refusal(server, client):
    seen_events(server, "view_item")
    server.funnels.refuse = lambda request: "Exhausted property tokens per day."
    server.funnels.code = grpc.StatusCode.RESOURCE_EXHAUSTED
    with pytest.raises(QuotaError):
        pulled(client, spec_of(plan(CORE, LONG)))


def change_row(place: int, text: str, column: int = 0):
    def tamper(answer) -> None:
        answer.funnel_table.rows[place].dimension_values[column].value = text

    return tamper


def change_users(text: str):
    def tamper(answer) -> None:
        answer.funnel_table.rows[1].metric_values[0].value = text

    return tamper


def repeat(answer) -> None:
    answer.funnel_table.rows.add().CopyFrom(answer.funnel_table.rows[0])


def forget_ranges(answer) -> None:
    del answer.funnel_table.dimension_headers[-1]


CONTRADICTIONS = {
    "a step that was not asked for": (change_row(0, "4. Purchase"), r"3 steps.*'4\. Purchase'"),
    "a step without number": (change_row(0, "Purchase"), r"3 steps.*'Purchase'"),
    "a step zero": (change_row(0, "0. sessions"), r"'0\. sessions'"),
    "a foreign date range": (change_row(0, "yesterday", 2), r"date range yesterday"),
    "a row twice": (repeat, r"came 2 times"),
    "no date ranges": (forget_ranges, r"lacks the field dateRange"),
    "not a number": (change_users("NaN"), r"no number"),
    "words": (change_users("many"), r"no number"),
    "more users than before": (change_users("9"), r"Step 2 of a closed funnel has 9 users.* 4 "),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_a_contradiction_is_held_back_after_three_pulls(server, client, name):
    tamper, words = CONTRADICTIONS[name]
    server.funnels.decorate = tamper
    with pytest.raises(AuditError, match=words) as caught:
        pulled(client, spec_of(plan(CORE)))
    assert "report funnel, 2026-03-01 to 2026-03-02" in str(caught.value)
    assert len(server.funnels.requests) == 3


def test_a_fraction_of_a_user_is_rounded(server, client):
    server.funnels.decorate = change_users("2.5")
    assert users(pulled(client, spec_of(plan(CORE))), "28d", END)["all"] == [4, 3, 2]


def growing(users: int) -> pa.Table:
    """A table of 10,000 users in the first step of a funnel, and `users` in the second."""
    return pa.table(
        {
            "range_name": ["1d", "1d"], "value": ["all", "all"],
            "number": pa.array([1, 2], pa.int32()), "active_users": [10_000, users],
        }
    )  # fmt: skip


def test_users_of_steps_are_estimates_each_by_itself():
    """Six standard errors of the difference are 6 x 0.0115 x 10,000 x sqrt(2), about 976."""
    refuse_growth(growing(10_900))
    with pytest.raises(AuditError, match="Step 2 of a closed funnel has 11100 users"):
        refuse_growth(growing(11_100))


def test_a_sampled_funnel_contradicts_nothing(server, client):
    def scale(answer) -> None:
        change_users("9")(answer)
        answer.funnel_table.metadata.sampling_metadatas.add(samples_read_count=1)

    server.funnels.decorate = scale
    result = pulled(client, spec_of(plan(CORE)))
    assert users(result, "28d", END)["all"] == [4, 9, 2]
    assert result.flags.is_sampled


def next_actions(client) -> dict[str, int]:
    """What came next in the core funnel → users."""
    result = pulled(client, spec_of(plan(CORE), "funnel_next_action"))
    return {row["next_action"]: row["active_users"] for row in result.rows.to_pylist()}


def sessions_with(server, *names: str) -> None:
    """One user each who starts a session, and then sends an event of that name."""
    server.funnels.hits = [
        hit
        for number, name in enumerate(names)
        for hit in journey(f"user{number}", "2026-03-01", "mobile", "session_start", name)
    ]


def test_next_actions_may_be_called_like_our_marker_or_googles(server, client):
    sessions_with(server, "all", "(all)", "RESERVED_TOTAL", "RESERVED_TOTAL")
    assert next_actions(client) == {"(all)": 4, "all": 1, "\\(all)": 1, "RESERVED_TOTAL": 2}


def test_an_event_called_like_googles_total_is_none_where_there_is_none(server, client):
    """The users of a step stand in the table as well, which no event's name stands in."""

    def forget_totals(answer) -> None:
        rows = answer.funnel_visualization.rows
        for row in [one for one in rows if one.metric_values[0].value == "4"]:
            rows.remove(row)

    server.funnels.decorate = forget_totals
    sessions_with(server, "RESERVED_TOTAL", "scroll", "scroll", "search")
    assert next_actions(client) == {"(all)": 4, "RESERVED_TOTAL": 1, "scroll": 2, "search": 1}


def test_a_device_called_like_googles_total_is_none(server, client):
    server.funnels.hits = [
        *journey("ann", "2026-03-01", "RESERVED_TOTAL", "session_start"),
        *journey("ben", "2026-03-01", "mobile", "session_start"),
    ]
    result = pulled(client, spec_of(plan(CORE)))
    assert users(result) == {"all": [2, 0, 0], "RESERVED_TOTAL": [1, 0, 0], "mobile": [1, 0, 0]}


def test_a_device_called_all_is_none_of_the_total(server, client):
    server.funnels.hits = [
        *journey("ann", "2026-03-01", "all", "session_start"),
        *journey("ben", "2026-03-01", "mobile", "session_start"),
    ]
    result = pulled(client, spec_of(plan(CORE)))
    assert users(result) == {"all": [2, 0, 0], "\\all": [1, 0, 0], "mobile": [1, 0, 0]}


def test_the_recorded_answer_is_read_rightly():
    """Eight headers, four values a row, rates typed as integers, numbered names."""
    if not RECORDED.exists():
        pytest.skip("the shared folder with the recorded answer is not beside this project")
    message = json_format.Parse(RECORDED.read_text(), FunnelResponse())
    found = read_steps(message.funnel_table, "deviceCategory", ["28d"], 3, "funnel")
    assert found.to_pylist() == [
        {"range_name": "28d", "value": "all", "number": number, "active_users": users}
        for number, users in ((1, 7), (2, 2), (3, 2))
    ]
    # Had the funnel a fourth step, nobody would have reached it.
    assert fill_steps(found, 4)["active_users"].to_pylist() == [7, 2, 2, 0]


counts = st.lists(st.integers(0, 50), min_size=1, max_size=6).map(lambda n: sorted(n)[::-1])


@given(st.dictionaries(st.sampled_from(["mobile", "desktop", "tablet"]), counts, min_size=1))
def test_missing_steps_are_zero_and_nothing_else_changes(by_device):
    steps = max(map(len, by_device.values()))
    report = FunnelResponse().funnel_table
    for name in ("funnelStepName", "deviceCategory"):
        report.dimension_headers.add(name=name)
    for name in ("activeUsers", "funnelStepCompletionRate") * 2:
        report.metric_headers.add(name=name)
    expected = {}
    for device, numbers in by_device.items():
        for place, number in enumerate(numbers, start=1):
            if number:
                expected[device] = [*numbers, *[0] * (steps - len(numbers))]
                row = report.rows.add()
                row.dimension_values.add(value=f"{place}. any name: 7. x")
                row.dimension_values.add(value=device)
                row.metric_values.add(value=str(number))
                row.metric_values.add(value="0.125")
    found = read_steps(report, "deviceCategory", ["28d"], steps, "funnel")
    filled = fill_steps(found, steps)
    got: dict[str, list[int]] = {}
    for row in filled.to_pylist():
        got.setdefault(row["value"], []).append(row["active_users"])
    assert got == expected
    refuse_growth(filled)


def test_the_request_of_the_projects_core_funnel():
    core = load_plan().funnels[0]
    request = funnel_request("42", core.steps, [trailing(28, END)])
    assert request.property == "properties/42"
    assert not request.funnel.is_open_funnel
    assert [step.name for step in request.funnel.steps] == [
        "sessions", "product_view", "add_to_cart", "checkout_start", "purchase",
    ]  # fmt: skip
    assert [
        step.filter_expression.funnel_event_filter.event_name for step in request.funnel.steps
    ] == ["session_start", "view_item", "add_to_cart", "begin_checkout", "purchase"]
    assert request.funnel_breakdown.breakdown_dimension.name == "deviceCategory"
    assert request.funnel_breakdown.limit == 15
    assert request.return_property_quota


def test_the_request_of_a_composite_step():
    request = funnel_request("42", [FunnelStep(1, SCROLL)], [trailing(28, END)])
    events = request.funnel.steps[0].filter_expression.or_group.expressions
    assert [one.funnel_event_filter.event_name for one in events] == ["scroll_depth", "scroll"]
    both = events[1].funnel_event_filter.funnel_parameter_filter_expression.and_group.expressions
    percent, kind = (one.funnel_parameter_filter for one in both)
    assert (percent.event_parameter_name, kind.event_parameter_name) == ("percent", "kind")
    at_least = alpha.NumericFilter.Operation.GREATER_THAN_OR_EQUAL
    assert percent.numeric_filter.operation == at_least
    assert percent.numeric_filter.value.int64_value == 50
    assert kind.string_filter.value == "product"
