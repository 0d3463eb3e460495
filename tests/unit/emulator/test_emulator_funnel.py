"""RunFunnelReport about the hand-made shop, through Google's v1alpha client."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from google.analytics.data_v1alpha import types as alpha
from google.api_core import exceptions

from tests.support.emulated_shop import PROPERTY, Shop, values

RECORDED = Path(__file__).parents[4] / "shared/data/ga4_api/runFunnelReport_real.json"
BOTH_DAYS = [alpha.DateRange(start_date="2026-03-10", end_date="2026-03-11")]
FOUR_STEPS = "page_view view_item add_to_cart purchase"


def event(name: str, **parameter: object) -> alpha.FunnelFilterExpression:
    """Events of a name; `parameter` are the fields of one parameter filter."""
    found = alpha.FunnelEventFilter(event_name=name)
    if parameter:
        one = alpha.FunnelParameterFilter(**parameter)
        found.funnel_parameter_filter_expression = alpha.FunnelParameterFilterExpression(
            funnel_parameter_filter=one
        )
    return alpha.FunnelFilterExpression(funnel_event_filter=found)


def step(what: str | alpha.FunnelFilterExpression, **more: object) -> alpha.FunnelStep:
    expression = event(what) if isinstance(what, str) else what
    name = what if isinstance(what, str) else "x"
    return alpha.FunnelStep(name=name, filter_expression=expression, **more)


def ask(shop: Shop, steps: str | list, is_open: bool = False, **more: object):
    listed = [step(name) for name in steps.split()] if isinstance(steps, str) else steps
    request = {"property": PROPERTY, "date_ranges": BOTH_DAYS} | more
    funnel = alpha.Funnel(is_open_funnel=is_open, steps=listed)
    return shop.alpha.run_funnel_report(alpha.RunFunnelReportRequest(funnel=funnel, **request))._pb


def users(shop: Shop, steps: str | list, **more: object) -> list[int]:
    """Active users per step, steps that nobody reached left out as in the answer."""
    return [int(row.metric_values[0].value) for row in ask(shop, steps, **more).funnel_table.rows]


def test_a_closed_funnel_with_the_recorded_oddities(shop: Shop):
    table = ask(shop, FOUR_STEPS).funnel_table
    assert [values(row) for row in table.rows] == [
        ("1. page_view", "3", "0.66666666666666663", "1", "0.33333333333333331"),
        ("2. view_item", "2", "0.5", "1", "0.5"),
        ("3. add_to_cart", "1", "0", "1", "1"),
    ]
    assert len(table.metric_headers) == 8
    assert {header.type_ for header in table.metric_headers} == {alpha.MetricType.TYPE_INTEGER}


def test_the_last_step_abandons_nobody(shop: Shop):
    rows = [values(row) for row in ask(shop, "page_view purchase").funnel_table.rows]
    assert rows[-1] == ("2. purchase", "2", "0", "0", "0")


def test_headers_are_those_of_a_recorded_answer(shop: Shop):
    if not RECORDED.exists():
        pytest.skip("the recorded answer is not at ../shared/data/ga4_api")
    recorded = json.loads(RECORDED.read_text())
    answer = ask(shop, FOUR_STEPS)
    table = recorded["funnelTable"]
    assert answer.kind == recorded["kind"]
    assert [one.name for one in answer.funnel_table.dimension_headers] == [
        one["name"] for one in table["dimensionHeaders"]
    ]
    assert [
        (one.name, alpha.MetricType(one.type_).name) for one in answer.funnel_table.metric_headers
    ] == [(one["name"], one["type"]) for one in table["metricHeaders"]]


def test_an_open_funnel_is_entered_anywhere(shop: Shop):
    rows = [values(row) for row in ask(shop, FOUR_STEPS, is_open=True).funnel_table.rows]
    assert [row[:2] for row in rows] == [
        ("1. page_view", "3"),
        ("2. view_item", "2"),
        ("3. add_to_cart", "1"),
        ("4. purchase", "2"),
    ]
    assert rows[2][2:] == ("0", "1", "1")  # nobody who put something in the cart bought


def test_by_device(shop: Shop):
    breakdown = alpha.FunnelBreakdown(breakdown_dimension=alpha.Dimension(name="deviceCategory"))
    table = ask(shop, "page_view view_item", funnel_breakdown=breakdown).funnel_table
    assert [header.name for header in table.dimension_headers] == [
        "funnelStepName",
        "deviceCategory",
    ]
    assert [values(row)[:3] for row in table.rows] == [
        ("1. page_view", "RESERVED_TOTAL", "3"),
        ("1. page_view", "(not set)", "1"),
        ("1. page_view", "desktop", "1"),
        ("1. page_view", "mobile", "1"),
        ("2. view_item", "RESERVED_TOTAL", "2"),
        ("2. view_item", "desktop", "1"),
        ("2. view_item", "mobile", "1"),
    ]
    breakdown.limit = 1
    table = ask(shop, "page_view view_item", funnel_breakdown=breakdown).funnel_table
    assert [values(row)[1] for row in table.rows] == [
        "RESERVED_TOTAL",
        "(not set)",
        "RESERVED_TOTAL",
    ]


def test_date_ranges_are_funnels_of_their_own(shop: Shop):
    days = [
        alpha.DateRange(start_date="2026-03-10", end_date="2026-03-10"),
        alpha.DateRange(start_date="2026-03-11", end_date="2026-03-11", name="second"),
    ]
    table = ask(shop, "page_view view_item", date_ranges=days).funnel_table
    assert [header.name for header in table.dimension_headers] == ["funnelStepName", "dateRange"]
    # The second visitor of 11 March looked at a product, but at no page before it.
    assert [values(row)[:3] for row in table.rows] == [
        ("1. page_view", "date_range_0", "2"),
        ("1. page_view", "second", "1"),
        ("2. view_item", "date_range_0", "1"),
    ]


def test_directly_followed_by(shop: Shop):
    # Between the page and the product of the first user lies `first_visit`.
    assert users(shop, [step("page_view"), step("view_item", is_directly_followed_by=True)]) == [
        3,
        1,
    ]
    assert users(shop, [step("view_item"), step("add_to_cart", is_directly_followed_by=True)]) == [
        2,
        1,
    ]


@pytest.mark.parametrize(("microseconds", "reached"), [(60_000_000, [3, 1]), (59_999_999, [3])])
def test_the_duration_includes_its_end(shop: Shop, microseconds: int, reached: list[int]):
    limited = step(
        "view_item", within_duration_from_prior_step=timedelta(microseconds=microseconds)
    )
    assert users(shop, [step("page_view"), limited]) == reached


def test_one_event_is_one_step(shop: Shop):
    assert users(shop, "page_view page_view") == [3]


def number(operation: str, value: int) -> dict:
    return {"operation": operation, "value": {"int64_value": value}}


@pytest.mark.parametrize(
    ("name", "parameter", "expected"),
    [
        # Registered, and sent as a whole number and as a fraction.
        (
            "scroll_depth",
            {
                "event_parameter_name": "percent_scrolled",
                "numeric_filter": number("GREATER_THAN_OR_EQUAL", 50),
            },
            [2],
        ),
        (
            "scroll_depth",
            {
                "event_parameter_name": "percent_scrolled",
                "numeric_filter": number("GREATER_THAN", 50),
            },
            [1],
        ),
        (
            "page_view",
            {"event_parameter_name": "page_type", "in_list_filter": {"values": ["HOME"]}},
            [1],
        ),
        (
            "page_view",
            {
                "event_parameter_name": "page_location",
                "string_filter": {"value": "/p/", "match_type": "CONTAINS"},
            },
            [1],
        ),
        # Not registered: a funnel filter may use any parameter.
        (
            "view_item",
            {
                "event_parameter_name": "engagement_time_msec",
                "numeric_filter": number("EQUAL", 1500),
            },
            [1],
        ),
        (
            "view_item",
            {"event_parameter_name": "nobody_sends_it", "string_filter": {"value": "(not set)"}},
            [],
        ),
        (
            "view_item",
            {"item_parameter_name": "item_id", "string_filter": {"value": "sku2"}},
            [1],
        ),
    ],
)
def test_parameter_filters(shop: Shop, name: str, parameter: dict, expected: list[int]):
    assert users(shop, [step(event(name, **parameter))]) == expected


def test_steps_of_several_events_and_fields(shop: Shop):
    either = alpha.FunnelFilterExpression(
        or_group={"expressions": [event("add_to_cart"), event("begin_checkout")]}
    )
    in_list = {"values": ["add_to_cart", "purchase"]}
    field = alpha.FunnelFilterExpression(
        funnel_field_filter={"field_name": "eventName", "in_list_filter": in_list}
    )
    not_home = alpha.FunnelFilterExpression(
        not_expression=event(
            "page_view", event_parameter_name="page_type", string_filter={"value": "home"}
        )
    )
    assert users(shop, [step(either)]) == [2]
    assert users(shop, [step(field)]) == [3]
    both = alpha.FunnelFilterExpression(and_group={"expressions": [event("page_view"), not_home]})
    assert users(shop, [step(both)]) == [2]


def test_a_dimension_filter_chooses_events(shop: Shop):
    austria = alpha.FilterExpression(
        filter={"field_name": "country", "string_filter": {"value": "Austria"}}
    )
    assert users(shop, "page_view purchase", dimension_filter=austria) == [1, 1]


def test_next_actions(shop: Shop):
    action = alpha.FunnelNextAction(next_action_dimension=alpha.Dimension(name="eventName"))
    answer = ask(shop, "page_view view_item", funnel_next_action=action)
    seen = answer.funnel_visualization
    assert [header.name for header in seen.dimension_headers] == [
        "funnelStepName",
        "funnelStepNextAction",
    ]
    # The second user's next event after the page is the product: the step itself is no action.
    assert [values(row) for row in seen.rows] == [
        ("1. page_view", "RESERVED_TOTAL", "3"),
        ("1. page_view", "first_visit", "1"),
        ("1. page_view", "purchase", "1"),
        ("2. view_item", "RESERVED_TOTAL", "2"),
        ("2. view_item", "add_to_cart", "1"),
        ("2. view_item", "begin_checkout", "1"),
    ]
    assert [values(row)[:2] for row in answer.funnel_table.rows] == [
        ("1. page_view", "3"),
        ("2. view_item", "2"),
    ]


def test_a_trended_funnel_has_dates(shop: Shop):
    answer = ask(shop, "view_item purchase", funnel_visualization_type="TRENDED_FUNNEL")
    assert [values(row) for row in answer.funnel_visualization.rows] == [
        ("1. view_item", "20260310", "1"),
        ("1. view_item", "20260311", "1"),
        ("2. purchase", "20260310", "1"),
        ("2. purchase", "20260311", "1"),
    ]


def test_nobody_leaves_only_headers(shop: Shop):
    answer = ask(shop, "no_such_event purchase")
    assert not answer.funnel_table.rows
    assert not answer.funnel_visualization.rows
    assert len(answer.funnel_table.metric_headers) == 8


BROKEN = alpha.FunnelFilterExpression(
    funnel_field_filter={
        "field_name": "eventName",
        "string_filter": {"value": "(", "match_type": "FULL_REGEXP"},
    }
)


@pytest.mark.parametrize(
    ("steps", "more", "sentence"),
    [
        ("", {}, "A funnel with at least one step is required"),
        ([alpha.FunnelStep(name="empty")], {}, "filterExpression of funnel step 1 is required"),
        ([step("")], {}, "The event_name of a funnelEventFilter is required"),
        ([step(BROKEN)], {}, "Invalid regular expression"),
        ("purchase", {"date_ranges": BOTH_DAYS * 5}, "Requests are limited to 4 dateRanges"),
        (
            "purchase",
            {"funnel_breakdown": {"breakdown_dimension": {"name": "country"}, "limit": 16}},
            "cannot exceed 15",
        ),
        (
            "purchase",
            {"funnel_next_action": {"next_action_dimension": {"name": "eventName"}, "limit": 6}},
            "cannot exceed 5",
        ),
        (
            "purchase",
            {"funnel_next_action": {"next_action_dimension": {"name": "country"}}},
            "Next action only supports eventName",
        ),
        (
            "purchase",
            {"funnel_breakdown": {"breakdown_dimension": {"name": "xyz"}}},
            "Field xyz is not a valid dimension",
        ),
        ("purchase", {"segments": [{}] * 5}, "limited to 4 segments"),
    ],
)
def test_wrong_funnels_are_refused(shop: Shop, steps, more: dict, sentence: str):
    with pytest.raises(exceptions.InvalidArgument, match=sentence):
        ask(shop, steps, **more)


def test_segments_are_refused_openly(shop: Shop):
    with pytest.raises(exceptions.MethodNotImplemented, match="does not answer segments"):
        ask(shop, "purchase", segments=[{}])


def test_funnels_have_a_quota_of_their_own(shop: Shop):
    quota = ask(shop, "purchase", return_property_quota=True).property_quota
    core = shop.report("date", "sessions", return_property_quota=True).property_quota
    name = f"{PROPERTY}/propertyQuotasSnapshot"
    snapshot = shop.alpha.get_property_quotas_snapshot(name=name)
    assert quota.tokens_per_day.consumed == 1
    assert snapshot.name == name
    left = snapshot.funnel_property_quota.tokens_per_day.remaining
    assert left == quota.tokens_per_day.remaining
    assert snapshot.core_property_quota.tokens_per_day.remaining == core.tokens_per_day.remaining
    assert left != core.tokens_per_day.remaining
