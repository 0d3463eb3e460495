"""Which reports are asked for, with which names, and how a request looks on the wire."""

import csv
from datetime import date
from pathlib import Path

import pytest
import yaml
from google.analytics.data_v1beta import types as ga4
from hypothesis import given
from hypothesis import strategies as st

from data_checks.catalog import Catalog
from data_checks.suites.raw import REQUIRED_FAMILIES
from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.tracking_plan import (
    Funnel,
    FunnelStep,
    MicroConversion,
    ParameterCondition,
    Segment,
    TrackingPlan,
    load_plan,
)
from pipelines.ga4.date_windows import Period
from pipelines.ga4.report_catalog import (
    Metric,
    Part,
    ReportKind,
    ReportSpec,
    build_reports,
    lift_funnels,
    snake_case,
)
from pipelines.ga4.report_request import PAGE_ROWS, fingerprint, report_request
from pipelines.ga4.report_words import report_words

SEEDS = Path(__file__).parents[3] / "dbt_project" / "seeds"
DAYS = Period("", date(2026, 3, 1), date(2026, 3, 4))
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


def test_every_report_has_words_of_its_own() -> None:
    words = {name: report_words(name) for name in by_name(load_plan())}
    assert len(set(words.values())) == len(words)
    assert not [said for said in words.values() if "_" in said or said[0].islower()]
    assert words["micro_by_landing_page"] == (
        "Micro-conversions with a filter or several names, by landing page"
    )
    assert report_words("of_older_code") == "of_older_code"


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
    segments = ("all", "device", "channel", "country", "visitor", "landing_page")
    expected = {f"{kind}_by_{one}" for kind in ("sessions", "events", "micro") for one in segments}
    other = {
        "items", "item_lists", "pages", "page_events", "page_micro", "event_params",
        "users_window", "funnel", "funnel_next_action", "metadata", "cells", "cells_country",
    }  # fmt: skip
    specs = by_name(load_plan())
    assert set(specs) == expected | other
    assert {name for name, spec in specs.items() if spec.is_required} == {
        f"{kind}_by_{one}" for kind in ("sessions", "events") for one in segments[:5]
    }
    assert {name for name, spec in specs.items() if spec.is_attributed} == {
        f"{kind}_by_{one}"
        for kind in ("sessions", "events", "micro")
        for one in ("channel", "landing_page")
    } | {"cells"}
    assert {name: spec.top for name, spec in specs.items() if spec.top} == {
        "page_events": 200, "page_micro": 200, "cells_country": 20,
        **{f"{kind}_by_landing_page": 200 for kind in ("sessions", "events", "micro")},
    }  # fmt: skip


def kinds_and_types(spec: ReportSpec) -> list[str]:
    """The columns between property, date and the stamps, with their types."""
    columns = list(spec.columns.items())
    assert [name for name, _ in columns[:2]] == ["property_id", "date"]
    assert [name for name, _ in columns[-2:]] == ["pulled_at", "pull_id"]
    return [f"{name} {kind}" for name, kind in columns[2:-2]]


WINDOW = ["window_name VARCHAR NOT NULL", "window_start DATE NOT NULL"]
FUNNEL = [
    *WINDOW, "funnel VARCHAR NOT NULL", "device_category VARCHAR NOT NULL",
    "step_number INTEGER NOT NULL", "step_key VARCHAR NOT NULL",
]  # fmt: skip
NEW_TABLES = {
    "pages": [
        "page_path VARCHAR NOT NULL", "screen_page_views BIGINT", "sessions BIGINT",
        "engaged_sessions BIGINT", "user_engagement_duration DOUBLE",
    ],
    "page_events": [
        "event_name VARCHAR NOT NULL", "page_path VARCHAR NOT NULL", "event_count BIGINT",
        "sessions BIGINT",
    ],
    "page_micro": [
        "micro_key VARCHAR NOT NULL", "page_path VARCHAR NOT NULL", "event_count BIGINT",
        "sessions BIGINT",
    ],
    "cells": [
        "micro_key VARCHAR NOT NULL", "device_category VARCHAR NOT NULL",
        "session_default_channel_group VARCHAR NOT NULL", "new_vs_returning VARCHAR NOT NULL",
        "event_count BIGINT", "sessions BIGINT",
    ],
    "cells_country": [
        "micro_key VARCHAR NOT NULL", "device_category VARCHAR NOT NULL",
        "country VARCHAR NOT NULL", "event_count BIGINT", "sessions BIGINT",
    ],
    "item_lists": [
        "item_list_name VARCHAR NOT NULL", "items_viewed_in_list BIGINT",
        "items_clicked_in_list BIGINT",
    ],
    "event_params": [
        "parameter VARCHAR NOT NULL", "event_name VARCHAR NOT NULL",
        "parameter_value VARCHAR NOT NULL", "event_count BIGINT", "sessions BIGINT",
    ],
    "events_by_landing_page": [
        "event_name VARCHAR NOT NULL", "landing_page VARCHAR NOT NULL", "event_count BIGINT",
        "sessions BIGINT",
    ],
    "users_window": [
        *WINDOW, "event_name VARCHAR NOT NULL", "device_category VARCHAR NOT NULL",
        "total_users BIGINT", "active_users BIGINT",
    ],
    "funnel": [
        *FUNNEL, "sessions BIGINT", "seconds_p25 DOUBLE", "seconds_p50 DOUBLE",
        "seconds_p75 DOUBLE", "seconds_p90 DOUBLE", "active_users BIGINT",
    ],
    "funnel_next_action": [*FUNNEL, "next_action VARCHAR NOT NULL", "active_users BIGINT"],
    "metadata": ["kind VARCHAR NOT NULL", "api_name VARCHAR NOT NULL", "is_custom BOOLEAN"],
}  # fmt: skip


@pytest.mark.parametrize("name", NEW_TABLES)
def test_columns_of_the_other_kinds(name):
    spec = by_name(load_plan())[name]
    assert kinds_and_types(spec) == NEW_TABLES[name]


CORE = Funnel("core", (FunnelStep(0, None), FunnelStep(1, SCROLL), FunnelStep(2, SIMPLE)))


@pytest.mark.parametrize("name", ["cells", "cells_country"])
def test_cells_ask_for_every_step_of_the_core_funnel_by_itself(name):
    """Whatever the segments are; all sessions without a filter, a simple key by one of its own."""
    spec = by_name(TrackingPlan((SCROLL, VIDEO, SIMPLE), (), (CORE,)))[name]
    assert [part.constants for part in spec.parts] == [
        {"micro_key": "sessions"}, {"micro_key": "scroll_50"}, {"micro_key": "purchase"},
    ]  # fmt: skip
    assert [part.parameters for part in spec.parts] == [set(), {"percent_scrolled", "type"}, set()]
    everyone, _, buyers = (report_request("42", spec, part, [DAYS]) for part in spec.parts)
    assert [one.name for one in buyers.dimensions] == ["date", *spec.dimensions]
    assert [one.name for one in buyers.metrics] == ["eventCount", "sessions"]
    assert not everyone.dimension_filter
    (event,) = buyers.dimension_filter.and_group.expressions
    assert list(event.filter.in_list_filter.values) == ["purchase"]


def test_cells_of_another_definition_are_another_version():
    def version(*steps):
        core = Funnel("core", tuple(FunnelStep(number, one) for number, one in enumerate(steps)))
        return by_name(TrackingPlan((), (), (core,)))["cells"].version

    assert version(None, SCROLL) == version(None, SCROLL)
    renamed = MicroConversion("scroll_50", ("scrolled",), SCROLL.conditions)
    assert len({version(None), version(None, SCROLL), version(None, renamed)}) == 3


def test_a_plan_without_a_core_funnel_has_no_cells():
    assert not {"cells", "cells_country"} & set(by_name(PLAN))


def test_lift_funnels_are_view_key_add():
    plan = load_plan()
    funnels = lift_funnels(plan)
    engagement = [
        one.key
        for one in plan.micro_conversions
        if one.family == "engagement" and one.parent_key == "product_view"
    ]
    names = ["view_to_add", *(f"lift_{key}" for key in engagement)]
    assert [funnel.name for funnel in funnels] == names
    assert not funnels[0].is_lift
    assert [(step.number, step.key) for step in funnels[0].steps] == [
        (1, "product_view"), (2, "add_to_cart"),
    ]  # fmt: skip
    gallery = next(funnel for funnel in funnels if funnel.name == "lift_gallery")
    assert gallery.is_lift
    assert [(step.number, step.key) for step in gallery.steps] == [
        (1, "product_view"), (2, "gallery"), (3, "add_to_cart"),
    ]  # fmt: skip


def test_a_plan_without_cart_has_no_lift_and_without_funnels_no_funnel():
    assert lift_funnels(PLAN) == ()
    names = set(by_name(PLAN))
    assert not names & {"funnel", "funnel_next_action"}
    with_core = TrackingPlan(PLAN.micro_conversions, PLAN.segments, (CORE,))
    assert by_name(with_core)["funnel"].funnels == (CORE,)
    assert by_name(with_core)["funnel_next_action"].funnels == (CORE,)


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
    request = report_request("42", spec, spec.parts[0], [DAYS])
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
    request = report_request("42", spec, spec.parts[0], [DAYS])
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
    request = report_request("42", spec, spec.parts[1], [DAYS])
    (event,) = request.dimension_filter.and_group.expressions
    assert list(event.filter.in_list_filter.values) == ["video_start", "100% video"]
    assert event.filter.in_list_filter.case_sensitive


def test_a_fingerprint_tells_requests_apart():
    spec = by_name(PLAN)["events_by_device"]
    part = spec.parts[0]
    first = fingerprint(report_request("42", spec, part, [DAYS]))
    assert first == fingerprint(report_request("42", spec, part, [DAYS]))
    others = {
        fingerprint(report_request("43", spec, part, [DAYS])),
        fingerprint(report_request("42", spec, part, [Period("", DAYS.start, DAYS.start)])),
        fingerprint(report_request("42", by_name(PLAN)["events_by_all"], part, [DAYS])),
    }
    assert len(others | {first}) == 4


def test_a_parameter_report_asks_for_one_parameter_at_a_time():
    spec = by_name(PLAN)["event_params"]
    assert [part.constants for part in spec.parts] == [
        {"parameter": "percent_scrolled"}, {"parameter": "type"},
    ]  # fmt: skip
    assert spec.parts[0].parameters == {"percent_scrolled"}
    request = report_request("42", spec, spec.parts[0], [DAYS])
    wanted = ["date", "eventName", "customEvent:percent_scrolled"]
    assert [one.name for one in request.dimensions] == wanted
    assert [one.dimension.dimension_name for one in request.order_bys] == wanted
    (event,) = request.dimension_filter.and_group.expressions
    assert list(event.filter.in_list_filter.values) == ["scroll_depth"]


def test_users_are_asked_for_alone_and_over_named_windows():
    spec = by_name(PLAN)["users_window"]
    assert [part.without for part in spec.parts] == [
        ("eventName", "deviceCategory"), ("deviceCategory",), ("eventName",), (),
    ]  # fmt: skip
    windows = [Period("7d", date(2026, 2, 26), DAYS.end), Period("28d", date(2026, 2, 5), DAYS.end)]
    request = report_request("42", spec, spec.parts[3], windows)
    assert [one.name for one in request.metrics] == ["totalUsers", "activeUsers"]
    assert [one.name for one in request.dimensions] == ["eventName", "deviceCategory"]
    assert [(one.name, one.start_date, one.end_date) for one in request.date_ranges] == [
        ("7d", "2026-02-26", "2026-03-04"), ("28d", "2026-02-05", "2026-03-04"),
    ]  # fmt: skip
    assert not request.metric_aggregations


def test_values_of_the_last_dimension_may_be_listed():
    spec = by_name(load_plan())["micro_by_landing_page"]
    request = report_request("42", spec, spec.parts[0], [DAYS], among=["/", "/sale?a=1"])
    filters = [one.filter for one in request.dimension_filter.and_group.expressions]
    assert [one.field_name for one in filters] == [
        "eventName", "customEvent:page_type", "landingPage",
    ]  # fmt: skip
    assert list(filters[2].in_list_filter.values) == ["/", "/sale?a=1"]


def test_a_ranking_is_by_number_and_then_by_text():
    spec = ReportSpec(
        "r", ("landingPage",), (Metric("sessions"),), kind=ReportKind.RANKING, top=200
    )
    request = report_request("42", spec, Part(), [DAYS])
    assert [one.name for one in request.dimensions] == ["landingPage"]
    first, second = request.order_bys
    assert (first.metric.metric_name, first.desc) == ("sessions", True)
    assert (second.dimension.dimension_name, second.desc) == ("landingPage", False)
    assert request.limit == 200


def test_what_the_raw_gate_asks_of_a_property_is_what_its_night_needs():
    """Both without the segments of which only the largest values are pulled."""
    rows = (SEEDS / "segments.csv").read_text().splitlines()
    segments = list(csv.DictReader(rows))
    catalog = Catalog(
        {},
        tuple(one["segment_name"] for one in segments),
        frozenset(one["segment_name"] for one in segments if one["is_partition"] == "false"),
    )
    wanted = {f"{kind}_{name}" for kind in REQUIRED_FAMILIES for name in catalog.whole_segments}
    assert {spec.name for spec in build_reports(load_plan()) if spec.is_required} == wanted
    assert len(wanted) == 10


def test_staging_marks_every_count_that_must_not_be_added_up():
    """Its views pass on the columns that a report has; the marks are what dbt's tests go by."""
    folder = DBT_PROJECT_DIR / "models" / "staging" / "ga4"
    marked = {
        (folder / f"{model['name']}.sql").read_text(): {
            column["name"] for column in model.get("columns", ()) if "config" in column
        }
        for model in yaml.safe_load((folder / "_ga4.yml").read_text())["models"]
    }
    unread = {"users_window", "metadata"}
    for spec in (one for one in build_reports(load_plan()) if one.name not in unread):
        read = (f"'{spec.table}'", f"union_segments('{spec.name.partition('_by_')[0]}')")
        (names,) = (own for sql, own in marked.items() if any(one in sql for one in read))
        assert names == {name for name in spec.columns if name.endswith(("sessions", "users"))}
