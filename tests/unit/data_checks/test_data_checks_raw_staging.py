"""Corruptions of raw and staging that their gates must catch, one at a time in a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import duckdb
import pytest

from data_checks import GateReport
from tests.support.checked_warehouse import (
    PROPERTIES,
    REPORTS,
    build_warehouse,
    check,
    failures,
    judged_apart,
)

pytestmark = pytest.mark.slow

BOTH = "property_id in ('100', '200')"
DAY = "property_id = '100' and date = '2026-03-02'"
EVENTS = "raw.ga4_events_by_device"
RAW = {
    "dropped partition": (
        [f"delete from {EVENTS} where {DAY}"],
        {("100", "ga4_events_by_device", "row_count_equals_pull")},
    ),
    "dropped partition and its pull": (
        [
            f"delete from {EVENTS} where {DAY}",
            f"delete from ops.pulls where report = 'events_by_device' and {DAY}",
        ],
        {("100", "ga4_events_by_device", "partition_is_present")},
    ),
    "duplicated rows": (
        [f"insert into {EVENTS} select * from {EVENTS} where {DAY} and event_name = 'purchase'"],
        {
            ("100", "ga4_events_by_device", "row_count_equals_pull"),
            ("100", "ga4_events_by_device", "key_is_unique"),
        },
    ),
    "a row twice and another lost": (
        [f"update {EVENTS} set event_name = 'purchase' where {DAY} and event_name = 'add_to_cart'"],
        {("100", "ga4_events_by_device", "key_is_unique")},
    ),
    "negative count": (
        [f"update {EVENTS} set event_count = -1 where {DAY} and device_category = 'mobile'"],
        {("100", "ga4_events_by_device", "counts_are_not_negative")},
    ),
    "row_count of the pull differs": (
        [f"update ops.pulls set row_count = 3 where report = 'sessions_by_country' and {DAY}"],
        {("100", "ga4_sessions_by_country", "row_count_equals_pull")},
    ),
    "row_count of the pull unknown": (
        [f"update ops.pulls set row_count = null where report = 'sessions_by_country' and {DAY}"],
        {("100", "ga4_sessions_by_country", "row_count_equals_pull")},
    ),
    "rows of an older pull": (
        [f"update raw.ga4_items set pull_id = 'older' where {DAY}"],
        {("100", "ga4_items", "rows_are_of_the_last_pull")},
    ),
    "emptied table": (
        [f"delete from raw.ga4_sessions_by_visitor where {BOTH}"],
        {
            (property_id, "ga4_sessions_by_visitor", "row_count_equals_pull")
            for property_id in ("100", "200")
        },
    ),
    "emptied optional table": (
        [f"delete from raw.ga4_micro_by_all where {BOTH}"],
        {("100", "ga4_micro_by_all", "row_count_equals_pull")},
    ),
    "empty property": (
        [
            "delete from raw.ga4_sessions_by_all where property_id = '200'",
            "update ops.pulls set row_count = 0 "
            "where property_id = '200' and report = 'sessions_by_all'",
        ],
        {("200", "ga4_sessions_by_all", "property_is_not_empty")},
    ),
    "a window of a date lost": (
        [f"delete from raw.ga4_users_window where {DAY} and window_name = '28d'"],
        {("100", "ga4_users_window", "row_count_equals_pull")},
    ),
    "one window in the place of another": (
        [f"update raw.ga4_funnel set window_name = '28d' where {DAY}"],
        {
            ("100", "ga4_funnel", "row_count_equals_pull"),
            ("100", "ga4_funnel", "key_is_unique"),
        },
    ),
    "nothing, as a loaded day had no rows": (
        [
            *(f"delete from raw.ga4_{report} where {DAY}" for report in REPORTS),
            f"update ops.pulls set row_count = 0 where {DAY}",
        ],
        set(),
    ),
}

STAGING = {
    "lost day": (
        [f"delete from staging.stg_ga4__sessions where {DAY}"],
        {
            ("100", "stg_ga4__sessions", expectation)
            for expectation in (
                "row_count_equals_raw",
                "sessions_equals_raw",
                "transactions_equals_raw",
                "purchase_revenue_equals_raw",
            )
        },
    ),
    "doubled rows": (
        [
            "insert into staging.stg_ga4__events select * from staging.stg_ga4__events "
            f"where {DAY} and segment_name = 'visitor'"
        ],
        {
            ("100", "stg_ga4__events", expectation)
            for expectation in (
                "row_count_equals_raw",
                "events_equals_raw",
                "sessions_equals_raw",
            )
        },
    ),
    "a changed number": (
        [
            "update staging.stg_ga4__items set item_revenue = item_revenue + 0.01 "
            "where property_id = '100' and date = '2026-03-03'"
        ],
        {("100", "stg_ga4__items", "item_revenue_equals_raw")},
    ),
    "an empty key": (
        [
            "update staging.stg_ga4__micro_conversions set segment_value = null "
            f"where {DAY} and segment_name = 'country'"
        ],
        {("100", "stg_ga4__micro_conversions", "keys_are_filled")},
    ),
    "a day that raw never had": (
        [
            "insert into staging.stg_ga4__sessions by name "
            "select * replace (date '2031-01-01' as date) "
            f"from staging.stg_ga4__sessions where {DAY} and segment_name = 'all'"
        ],
        {("100", "stg_ga4__sessions", "dates_are_in_history")},
    ),
    "emptied optional table": (
        [f"delete from staging.stg_ga4__items where {BOTH}"],
        {
            ("100", "stg_ga4__items", expectation)
            for expectation in (
                "row_count_equals_raw",
                "items_viewed_equals_raw",
                "items_purchased_equals_raw",
                "item_revenue_equals_raw",
            )
        },
    ),
    "a window without a name": (
        [f"update staging.stg_ga4__funnel set window_name = null where {DAY}"],
        {("100", "stg_ga4__funnel", "keys_are_filled")},
    ),
    "events gone in both layers": (
        [
            f"delete from {table} where property_id = '200'"
            for table in (
                "staging.stg_ga4__events",
                "raw.ga4_events_by_all",
                "raw.ga4_events_by_device",
            )
        ],
        {
            ("200", "stg_ga4__events", expectation)
            for expectation in (
                "events_are_present",
                "row_count_equals_raw",
                "events_equals_raw",
                "sessions_equals_raw",
            )
        },
    ),
}


WARNINGS = {
    "is_not_sampled": [f"update ops.pulls set is_sampled = true where report = 'items' and {BOTH}"],
    "is_not_thresholded": [
        f"update ops.pulls set is_thresholded = true where report = 'items' and {BOTH}"
    ],
    "is_not_restricted": [f"update ops.pulls set restricted_metrics = 'itemRevenue' where {BOTH}"],
    "is_not_truncated": [
        f"update ops.pulls set truncation = 'ROLLUP' where report = 'items' and {BOTH}"
    ],
    "other_share_is_small": [
        f"update ops.pulls set other_share = 0.06 where report = 'items' and {BOTH}"
    ],
    "revenue_is_not_negative": [f"update raw.ga4_items set item_revenue = -3 where {DAY}"],
    "parts_add_up_to_total": [
        f"update raw.ga4_sessions_by_device set sessions = sessions - 12 where {DAY}"
    ],
    "last_pull_was_loaded": [
        "insert into ops.pulls by name select * replace ('later' as pull_id, "
        "'held_back' as status, pulled_at + interval 1 hour as pulled_at) "
        f"from ops.pulls where report = 'items' and {DAY}"
    ],
}
UNPULLED = "an optional report that could not be pulled"


@cache
def _judged(gate: str) -> dict[str, GateReport]:
    if gate == "staging":
        return judged_apart("staging", _statements(STAGING))
    unpulled = [
        f"delete from raw.ga4_items where {BOTH}",
        "update ops.pulls set status = 'failed', row_count = null "
        f"where report = 'items' and {BOTH}",
    ]
    return judged_apart("raw", _statements(RAW) | WARNINGS | {UNPULLED: unpulled})


def _statements(cases: Mapping[str, tuple[Sequence[str], object]]) -> dict[str, Sequence[str]]:
    return {name: statements for name, (statements, _) in cases.items()}


@pytest.mark.parametrize("name", RAW)
def test_raw_gate_names_exactly_what_is_broken(name: str) -> None:
    assert failures(_judged("raw")[name]) == RAW[name][1]


@pytest.mark.parametrize("name", STAGING)
def test_staging_gate_names_exactly_what_is_broken(name: str) -> None:
    assert failures(_judged("staging")[name]) == STAGING[name][1]


def test_what_a_table_lacks_is_told_of_all_properties_and_of_no_other_table() -> None:
    connection = build_warehouse()
    connection.execute("drop table raw.ga4_events_by_channel")
    connection.execute("drop table raw.ga4_items")
    connection.execute("alter table raw.ga4_pages drop column pull_id")
    report = check(connection, "raw")
    assert failures(report) == {
        (name, table, expectation)
        for name in PROPERTIES
        for table, expectation in (
            ("ga4_events_by_channel", "table_exists"),
            ("ga4_items", "table_exists"),
            ("ga4_pages", "slice_can_be_read"),
        )
    }
    assert report.summary() == (
        "Gate raw failed: property 100: raw.ga4_items fails table_exists: "
        "table raw.ga4_items does not exist; 5 more critical failures."
    )


def test_a_missing_staged_table_is_told_of_all_properties_and_of_no_other_table() -> None:
    connection = build_warehouse()
    connection.execute("drop table staging.stg_ga4__micro_conversions")
    connection.execute("update seeds.micro_conversions set event_names = 'x_' || key")
    report = check(connection, "staging")
    assert failures(report) == {
        (name, "stg_ga4__micro_conversions", "table_exists") for name in PROPERTIES
    }
    # Events that are unknown to the plan only warn.
    assert {w.expectation for w in report.warnings} == {"an_event_is_in_the_plan"}


def test_an_empty_warehouse_still_reports() -> None:
    report = check(duckdb.connect(), "raw")
    assert not report.is_passed
    assert report.held_back == ("100", "200")


@pytest.mark.parametrize("expectation", WARNINGS)
def test_raw_warnings_are_shown_and_stop_nothing(expectation: str) -> None:
    report = _judged("raw")[expectation]
    assert report.is_passed
    assert {w.expectation for w in report.warnings} == {expectation}


def test_an_optional_report_that_could_not_be_pulled_only_warns() -> None:
    report = _judged("raw")[UNPULLED]
    assert report.is_passed
    assert {(w.table_name, w.expectation) for w in report.warnings} == {
        ("raw.ga4_items", "last_pull_was_loaded")
    }
