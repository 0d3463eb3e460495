"""Corruptions of the funnel tables that the intermediate and marts gates must catch."""

from __future__ import annotations

from functools import cache

import pytest

from data_checks import GateReport
from tests.support.checked_warehouse import (
    PROPERTIES,
    build_warehouse,
    check,
    failures,
    judged_apart,
)

pytestmark = pytest.mark.slow

REACH = "intermediate.int_funnel__reach_daily"
DAY = "property_id = '100' and date = '2026-03-02'"

DAILY, WINDOWED = "fct_funnel_daily", "fct_funnel_window"
MICRO, COMPARISON = "fct_micro_conversion_daily", "fct_benchmark_comparison"
FIGURES = "fct_benchmark_figure"
# What holds back every property where it holds nothing of them.
NEEDED = {
    "intermediate": (REACH,),
    "marts": (
        *(f"marts.{name}" for name in (DAILY, WINDOWED, MICRO, COMPARISON, FIGURES)),
        "marts.fct_tracking_coverage",
        "marts.fct_data_completeness",
    ),
}
RESOLVED = "intermediate.int_benchmarks__resolved"
NO_VISITOR = "; ".join(
    [
        *(
            f"delete from {table} where {DAY}"
            for table in (
                "staging.stg_ga4__sessions",
                "staging.stg_ga4__events",
                "staging.stg_ga4__micro_conversions",
                REACH,
                f"marts.{DAILY}",
                f"marts.{MICRO}",
                "marts.fct_sales_daily",
                "marts.fct_reconciliation",
            )
        ),
        f"update ops.pulls set row_count = 0 where {DAY}",
        f"update marts.{WINDOWED} set reached = reached * 3 / 4, "
        "previous_reached = previous_reached * 3 / 4 where property_id = '100'",
        "delete from marts.fct_micro_conversion_window where property_id = '100'",
    ]
)
VIEWS = f"where {DAY} and key = 'product_view' and segment_name = 'all'"
PHONES = f"where {DAY} and key = 'sessions' and segment_value = 'mobile'"
WRONG_SESSIONS = {"key_sessions_equal_staging"}
WRONG_EVENTS = {"key_events_equal_staging"}

INTERMEDIATE = {
    "sessions above events": (
        f"update {REACH} set events = 3 where {DAY} and key = 'purchase' and segment_name = 'all'",
        {"sessions_at_most_events", "key_events_equal_staging"},
    ),
    "more sessions with an event than sessions": (
        f"update {REACH} set sessions = 125 where {DAY} and key = 'product_view' "
        "and segment_name = 'all'",
        {"key_at_most_all_sessions", "key_sessions_equal_staging"},
    ),
    "negative": (
        f"update {REACH} set events = -1 where {DAY} and key = 'purchase' "
        "and segment_value = 'mobile'",
        {"counts_are_not_negative", "sessions_at_most_events", "key_events_equal_staging"},
    ),
    "device sum off": (
        f"update {REACH} set sessions = 40 where {DAY} and key = 'sessions' "
        "and segment_value = 'mobile'",
        {"devices_add_up_to_total", "sessions_equal_staging"},
    ),
    "a row twice": (
        f"insert into {REACH} select * from {REACH} where {DAY} and key = 'purchase' "
        "and segment_name = 'channel'",
        {"grain_is_unique", "key_sessions_equal_staging", "key_events_equal_staging"},
    ),
    "a lost day": (
        f"delete from {REACH} where {DAY}",
        {
            "date_is_present",
            "sessions_equal_staging",
            "key_sessions_equal_staging",
            "key_events_equal_staging",
        },
    ),
    "a key without a segment": (
        f"update {REACH} set segment_value = null where {DAY} and segment_value = 'Germany' "
        "and key = 'purchase'",
        {"keys_are_filled"},
    ),
    "a composite key lost": (
        f"delete from {REACH} where {DAY} and key = 'home_view' and segment_name = 'all'",
        {"key_sessions_equal_staging", "key_events_equal_staging"},
    ),
    # The largest pages by events may not be those by sessions.
    "sessions of a page lost": (
        f"delete from {REACH} where {DAY} and key = 'sessions' and segment_name = 'landing_page'",
        {"sessions_equal_staging"},
    ),
    "devices that are off by the sketch": (
        f"update {REACH} set sessions = 66 {PHONES}",
        {"sessions_equal_staging"},
    ),
    "exact devices that are off by as much": (
        f"update {REACH} set sessions = if(key = 'sessions' and segment_value = 'mobile', 66, "
        f"sessions), is_exact = true where {DAY}",
        {"devices_add_up_to_total", "sessions_equal_staging"},
    ),
    "a device lost": (
        f"delete from {REACH} where {DAY} and segment_value = 'desktop' and key = 'sessions'",
        {"devices_add_up_to_total", "sessions_equal_staging"},
    ),
    "exact views that pass sessions by one": (
        f"update {REACH} set is_exact = true, sessions = 101, events = 101 {VIEWS}",
        {"key_at_most_all_sessions"} | WRONG_SESSIONS | WRONG_EVENTS,
    ),
    # Views of one day: 50 sessions of the 100, in 120 events; what they become, and which rule
    # breaks. Six standard errors: 0.138 x 120 events and half a session; of key and total together
    # 0.138 x sqrt(123² + 100²) and one.
    "all views in sessions by the noise": (
        f"update {REACH} set sessions = 120 {VIEWS}",
        WRONG_SESSIONS,
    ),
    "views above events by the noise": (
        f"update {REACH} set sessions = 137, events = 120 {VIEWS}",
        {"key_at_most_all_sessions"} | WRONG_SESSIONS,
    ),
    "views above events by more": (
        f"update {REACH} set sessions = 138, events = 120 {VIEWS}",
        {"sessions_at_most_events", "key_at_most_all_sessions"} | WRONG_SESSIONS,
    ),
    "views above the total by the noise": (
        f"update {REACH} set sessions = 122 {VIEWS}",
        WRONG_SESSIONS,
    ),
    "views above the total by more": (
        f"update {REACH} set sessions = 124 {VIEWS}",
        {"key_at_most_all_sessions"} | WRONG_SESSIONS,
    ),
    # Rows that the source left out excuse the parts.
    "views above events by more, and incomplete": (
        f"update {REACH} set sessions = 138, events = 120, is_complete = false {VIEWS}",
        WRONG_SESSIONS,
    ),
    "a device lost that is incomplete": (
        f"delete from {REACH} where {DAY} and segment_value = 'desktop' and key = 'sessions'; "
        f"update {REACH} set is_complete = false where {DAY} and segment_name = 'device'",
        {"sessions_equal_staging"},
    ),
    "nothing, as no visitor came": (NO_VISITOR, set()),
}

CELL = f"{DAY} and segment_value = 'mobile' and step_key = 'purchase'"

MARTS = {
    "rate without denominator": (
        f"update marts.{DAILY} set previous_reached = null where {CELL}",
        {("100", DAILY, "rate_has_numerator_and_denominator")},
    ),
    "rate over a denominator of zero": (
        f"update marts.{MICRO} set parent_sessions = 0 where {DAY} and key = 'purchase' "
        "and segment_value = 'mobile'",
        {("100", MICRO, "rate_has_numerator_and_denominator")},
    ),
    "rate above 1 with an interval": (
        f"update marts.{DAILY} set step_rate = 1.5, previous_reached = 2, ci_low = 0.9, ci_high = 1"
        f" where {CELL}",
        {
            ("100", DAILY, "rate_is_in_range_or_flagged"),
            ("100", DAILY, "interval_holds_the_rate"),
        },
    ),
    "rate that is not its ratio": (
        f"update marts.{DAILY} set step_rate = 0.98 where {CELL}",
        {("100", DAILY, "rate_is_their_ratio")},
    ),
    "half an interval": (
        f"update marts.{WINDOWED} set ci_low = null where property_id = '100' and step_number = 2",
        {("100", WINDOWED, "interval_holds_the_rate")},
    ),
    "rate outside of its interval": (
        f"update marts.{COMPARISON} set ci_low = 0.21 where property_id = '200'",
        {("200", COMPARISON, "interval_holds_the_rate")},
    ),
    "a row twice": (
        f"insert into marts.{MICRO} select * from marts.{MICRO} where {DAY} and key = 'purchase' "
        "and segment_value = 'mobile'",
        {("100", MICRO, "grain_is_unique")},
    ),
    "a reach that is not the intermediate one": (
        f"update marts.{DAILY} set reached = 2, step_rate = 2 / previous_reached, ci_low = 0, "
        f"ci_high = 1 where {CELL}",
        {("100", DAILY, "totals_equal_intermediate")},
    ),
    "a window that is not the sum of its days": (
        f"update marts.{WINDOWED} set reached = 399 where property_id = '100' "
        "and step_number = 0 and segment_name = 'all'",
        {("100", WINDOWED, "totals_equal_intermediate")},
    ),
    "a rate made of a sample": (
        f"update marts.{MICRO} set flags = 'sampled, other' where {DAY} and key = 'purchase' "
        "and segment_value = 'mobile'",
        {("100", MICRO, "withheld_number_has_no_rate")},
    ),
    "a row that does not say how whole it is": (
        f"update marts.{COMPARISON} set maturity = null where property_id = '200'",
        {("200", COMPARISON, "completeness_is_stated")},
    ),
    "a core step lost": (
        f"delete from marts.{DAILY} where {DAY} and segment_name = 'all' and step_number = 3",
        {("100", DAILY, "totals_equal_intermediate")},
    ),
    "missing day": (
        f"delete from marts.{DAILY} where {DAY}",
        {("100", DAILY, "date_is_present"), ("100", WINDOWED, "totals_equal_intermediate")},
    ),
    "missing day of completeness": (
        f"delete from marts.fct_data_completeness where {DAY}",
        {("100", "fct_data_completeness", "date_is_present")},
    ),
    "own weeks that nothing is said of": (
        f"update marts.{COMPARISON} set source_text = '' where property_id = '100' "
        "and source_kind = 'own_history'",
        {("100", COMPARISON, "benchmark_has_source_and_date")},
    ),
    "own weeks as a floor": (
        f"update marts.{COMPARISON} set shortfall = 3 where property_id = '100' "
        "and source_kind = 'own_history'",
        {("100", COMPARISON, "benchmark_range_is_valid")},
    ),
    "a figure without a sample": (
        f"update marts.{FIGURES} set sample = null where property_id = '100'",
        {("100", FIGURES, "figure_has_publisher_sample_and_period")},
    ),
    "a figure in percent": (
        f"update marts.{FIGURES} set value = 100 * value where property_id = '100' "
        "and benchmark_key = 'conversion_rate'",
        {("100", FIGURES, "figure_is_a_share")},
    ),
    "a figure of product views": (
        f"update marts.{FIGURES} set denominator_key = 'product_view' where property_id = '100' "
        "and benchmark_key = 'add_to_cart_per_session'",
        {("100", FIGURES, "figure_counts_what_the_benchmark_counts")},
    ),
    "figures of users": (
        f"update marts.{FIGURES} set unit = 'users' where property_id = '100' "
        "and benchmark_key = 'checkout_to_purchase_rate'",
        {("100", FIGURES, "figure_counts_what_the_benchmark_counts")},
    ),
    "a page that lost views": (
        "update marts.fct_page_engagement set views = views - 1 where property_id = '100'",
        {("100", "fct_page_engagement", "totals_equal_intermediate")},
    ),
    "a list twice": (
        "insert into marts.fct_collection select * from marts.fct_collection "
        "where property_id = '100' and item_list_name = 'Shirts'",
        {
            ("100", "fct_collection", "grain_is_unique"),
            ("100", "fct_collection", "totals_equal_intermediate"),
        },
    ),
    "a page's rate made of a sample": (
        "update marts.fct_page_micro_conversion set flags = 'sampled' where property_id = '100'",
        {("100", "fct_page_micro_conversion", "withheld_number_has_no_rate")},
    ),
    "an expected key without coverage": (
        "delete from marts.fct_tracking_coverage where property_id = '200' and key = 'purchase'",
        {("200", "fct_tracking_coverage", "expected_key_has_a_row")},
    ),
    # Published without an interval.
    "nothing, as a rate above one has no interval": (
        f"update marts.{DAILY} set previous_reached = 2, step_rate = reached / 2, ci_low = null, "
        f"ci_high = null where {CELL}",
        set(),
    ),
    "nothing, as more engaged sessions than sessions have no interval": (
        "update marts.fct_page_engagement set bounced_sessions = -1, bounce_rate = -1 / sessions, "
        "ci_low = null, ci_high = null where property_id = '100'",
        set(),
    ),
    "more engaged sessions than sessions with an interval": (
        "update marts.fct_page_engagement set bounced_sessions = -1, bounce_rate = -1 / sessions, "
        "ci_low = 0, ci_high = 0.1 where property_id = '100'",
        {
            ("100", "fct_page_engagement", "rate_is_in_range_or_flagged"),
            ("100", "fct_page_engagement", "interval_holds_the_rate"),
        },
    ),
    "nothing, as an untracked step may hold nothing": (
        f"update marts.{DAILY} set reached = null, previous_reached = null, step_rate = null, "
        f"ci_low = null, ci_high = null, tracking_state = 'withheld' where {CELL}",
        set(),
    ),
    "nothing, as no visitor came": (NO_VISITOR, set()),
    # Its sessions are in reach; the daily mart has no funnel of it, and another day's is whole.
    "a day of which only sessions could be loaded": (
        "; ".join(
            [
                f"delete from {REACH} where {DAY} and key <> 'sessions'",
                *(
                    f"delete from marts.{table} where {DAY}"
                    for table in (DAILY, MICRO, "fct_sales_daily", "fct_reconciliation")
                ),
            ]
        ),
        {
            ("100", DAILY, "date_is_present"),
            ("100", WINDOWED, "totals_equal_intermediate"),
            ("100", "fct_micro_conversion_window", "totals_equal_intermediate"),
        },
    ),
    # A window leaves it out.
    "nothing, as the daily mart could not show a day": (
        f"insert into {REACH} by name select * replace (date '2026-02-27' as date) "
        f"from {REACH} where {DAY}",
        set(),
    ),
}


@cache
def _judged(gate: str) -> dict[str, GateReport]:
    cases = INTERMEDIATE if gate == "intermediate" else MARTS
    emptied = {
        table: [f"delete from {table} where property_id in {PROPERTIES}"] for table in NEEDED[gate]
    }
    return judged_apart(
        gate, {name: [statements] for name, (statements, _) in cases.items()} | emptied
    )


@pytest.mark.parametrize("name", INTERMEDIATE)
def test_intermediate_gate_names_exactly_what_is_broken(name: str) -> None:
    _, expected = INTERMEDIATE[name]
    assert failures(_judged("intermediate")[name]) == {
        ("100", "int_funnel__reach_daily", expectation) for expectation in expected
    }


@pytest.mark.parametrize("name", MARTS)
def test_marts_gate_names_exactly_what_is_broken(name: str) -> None:
    _, expected = MARTS[name]
    assert failures(_judged("marts")[name]) == expected


def test_benchmarks_of_nobody_hold_back_every_property() -> None:
    connection = build_warehouse()
    broken = {
        "email_capture_rate": "source = ' '",
        "cart_to_checkout_rate": "source_date = null",
        "add_to_cart_rate": "publisher = ''",
    }
    for key, change in broken.items():
        connection.execute(f"update {RESOLVED} set {change} where benchmark_key = '{key}'")
    report = check(connection, "marts")
    tables = (RESOLVED, f"marts.{COMPARISON}")
    assert [
        (r.property_id, r.table_name, {sample["benchmark_key"] for sample in r.sample})
        for r in sorted(report.failed_critical, key=lambda r: (r.property_id, r.table_name))
        if r.expectation == "benchmark_has_source_and_date"
    ] == [(name, table, {*broken}) for name in PROPERTIES for table in tables]
    assert len(report.failed_critical) == 4


@pytest.mark.parametrize(
    ("gate", "table"), [(gate, table) for gate, tables in NEEDED.items() for table in tables]
)
def test_a_table_without_rows_of_a_property_holds_it_back(gate: str, table: str) -> None:
    report = _judged(gate)[table]
    assert report.held_back == PROPERTIES
    assert table in {r.table_name for r in report.failed_critical}


@pytest.mark.parametrize("gate", NEEDED)
@pytest.mark.parametrize("statement", ["delete from {}", "drop table {}"])
def test_emptied_or_missing_tables_hold_back_every_property(gate: str, statement: str) -> None:
    connection = build_warehouse()
    tables = NEEDED[gate] + ((RESOLVED,) if gate == "marts" else ())
    for table in tables:
        connection.execute(statement.format(table))
    failed = {(r.property_id, r.table_name) for r in check(connection, gate).failed_critical}
    assert failed >= {(name, table) for name in PROPERTIES for table in tables}
