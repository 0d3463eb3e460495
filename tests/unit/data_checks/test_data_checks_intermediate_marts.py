"""Corruptions of the funnel tables that the intermediate and marts gates must catch."""

from __future__ import annotations

import pytest

from tests.support.checked_warehouse import build_warehouse, check, failures, packed

pytestmark = pytest.mark.slow

REACH = "intermediate.int_funnel__reach_daily"
DAY = "property_id = '100' and date = '2026-03-02'"
BOTH = ("100", "200")

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
}

DAILY, WINDOWED = "fct_funnel_daily", "fct_funnel_window"
MICRO, COMPARISON = "fct_micro_conversion_daily", "fct_benchmark_comparison"
FIGURES = "fct_benchmark_figure"
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
    "missing source": (
        "update intermediate.int_benchmarks__resolved set source = ' ' "
        "where benchmark_key = 'email_capture_rate'",
        {
            (property_id, table, "benchmark_has_source_and_date")
            for property_id in BOTH
            for table in ("int_benchmarks__resolved", COMPARISON)
        },
    ),
    "missing source date": (
        "update intermediate.int_benchmarks__resolved set source_date = null "
        "where benchmark_key = 'email_capture_rate'",
        {
            (property_id, table, "benchmark_has_source_and_date")
            for property_id in BOTH
            for table in ("int_benchmarks__resolved", COMPARISON)
        },
    ),
    "a range of nobody": (
        "update intermediate.int_benchmarks__resolved set publisher = '' "
        "where benchmark_key = 'email_capture_rate'",
        {
            (property_id, table, "benchmark_has_source_and_date")
            for property_id in BOTH
            for table in ("int_benchmarks__resolved", COMPARISON)
        },
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
}


@pytest.mark.parametrize("name", INTERMEDIATE)
def test_intermediate_gate_names_exactly_what_is_broken(name: str) -> None:
    statement, expected = INTERMEDIATE[name]
    connection = build_warehouse()
    connection.execute(statement)
    found = failures(check(connection, "intermediate"))
    assert found == {("100", "int_funnel__reach_daily", expectation) for expectation in expected}


@pytest.mark.parametrize(
    ("statements", "expected"),
    packed({name: ([statement], expected) for name, (statement, expected) in MARTS.items()}),
)
def test_marts_gate_names_exactly_what_is_broken(
    statements: list[str], expected: set[tuple[str, str, str]]
) -> None:
    connection = build_warehouse()
    for statement in statements:
        connection.execute(statement)
    assert failures(check(connection, "marts")) == expected


@pytest.mark.parametrize(
    ("gate", "table"),
    [
        ("intermediate", REACH),
        ("marts", f"marts.{DAILY}"),
        ("marts", f"marts.{WINDOWED}"),
        ("marts", f"marts.{MICRO}"),
        ("marts", f"marts.{COMPARISON}"),
        ("marts", f"marts.{FIGURES}"),
        ("marts", "marts.fct_tracking_coverage"),
        ("marts", "marts.fct_data_completeness"),
        ("marts", "intermediate.int_benchmarks__resolved"),
    ],
)
@pytest.mark.parametrize("statement", ["delete from {}", "drop table {}"])
def test_an_emptied_or_missing_table_holds_back_every_property(
    gate: str, table: str, statement: str
) -> None:
    connection = build_warehouse()
    connection.execute(statement.format(table))
    report = check(connection, gate)
    assert report.held_back == BOTH
    assert table in {r.table_name for r in report.failed_critical}


def test_a_rate_above_one_is_published_without_an_interval() -> None:
    connection = build_warehouse()
    connection.execute(
        f"update marts.{DAILY} set previous_reached = 2, step_rate = reached / 2, ci_low = null, "
        f"ci_high = null where {CELL}"
    )
    assert check(connection, "marts").is_passed


def test_more_engaged_sessions_than_sessions_are_published_without_an_interval() -> None:
    connection = build_warehouse()
    connection.execute(
        "update marts.fct_page_engagement set bounced_sessions = -1, bounce_rate = -1 / sessions, "
        "ci_low = null, ci_high = null"
    )
    assert check(connection, "marts").is_passed
    connection.execute("update marts.fct_page_engagement set ci_low = 0, ci_high = 0.1")
    found = failures(check(connection, "marts"))
    assert found == {
        (property_id, "fct_page_engagement", rule)
        for property_id in ("100",)
        for rule in ("rate_is_in_range_or_flagged", "interval_holds_the_rate")
    }


def test_an_untracked_step_may_hold_nothing() -> None:
    connection = build_warehouse()
    connection.execute(
        f"update marts.{DAILY} set reached = null, previous_reached = null, step_rate = null, "
        f"ci_low = null, ci_high = null, tracking_state = 'withheld' where {CELL}"
    )
    assert check(connection, "marts").is_passed


def test_devices_may_differ_by_the_sketch_unless_exact() -> None:
    connection = build_warehouse()
    change = f"from {REACH} where {DAY} and key = 'sessions' and segment_value = 'mobile'"
    connection.execute(f"update {REACH} set sessions = 66 {change.split(REACH)[1]}")
    off_by_six = ("100", "int_funnel__reach_daily", "devices_add_up_to_total")
    assert off_by_six not in failures(check(connection, "intermediate"))
    connection.execute(f"update {REACH} set is_exact = true")
    assert off_by_six in failures(check(connection, "intermediate"))


# Views of one day: 50 sessions of the 100, in 120 events; what they become, and which rule breaks.
# Six standard errors: 0.138 x 120 events and half a session; of key and total together 0.138 x
# sqrt(123² + 100²) and one.
NOISE = {
    "all by the noise": ("sessions = 120", None),
    "above events by the noise": ("sessions = 137, events = 120", "key_at_most_all_sessions"),
    "above events by more": ("sessions = 138, events = 120", "sessions_at_most_events"),
    "above the total by the noise": ("sessions = 122", None),
    "above the total by more": ("sessions = 124", "key_at_most_all_sessions"),
}
RULES = {"sessions_at_most_events", "key_at_most_all_sessions"}


@pytest.mark.parametrize("name", NOISE)
def test_estimates_may_pass_each_other_by_their_noise(name: str) -> None:
    change, broken = NOISE[name]
    connection = build_warehouse()
    whose = f"where {DAY} and key = 'product_view' and segment_name = 'all'"
    connection.execute(f"update {REACH} set {change} {whose}")
    found = {rule for _, _, rule in failures(check(connection, "intermediate"))} & RULES
    assert found >= ({broken} if broken else set())
    if name != "above events by more":
        assert found == ({broken} if broken else set())
    connection.execute(f"update {REACH} set is_complete = false {whose}")
    assert not {rule for _, _, rule in failures(check(connection, "intermediate"))} & RULES


def test_exact_numbers_may_not_pass_each_other() -> None:
    connection = build_warehouse()
    connection.execute(
        f"update {REACH} set is_exact = true, sessions = 101, events = 101 "
        f"where {DAY} and key = 'product_view' and segment_name = 'all'"
    )
    found = {rule for _, _, rule in failures(check(connection, "intermediate"))} & RULES
    assert found == {"key_at_most_all_sessions"}


def test_the_largest_pages_by_events_may_not_be_those_by_sessions() -> None:
    connection = build_warehouse()
    connection.execute(
        f"delete from {REACH} where {DAY} and key = 'sessions' and segment_name = 'landing_page'"
    )
    found = {rule for _, _, rule in failures(check(connection, "intermediate"))}
    assert found == {"sessions_equal_staging"}


def test_a_day_without_any_visitor_is_not_a_lost_day() -> None:
    connection = build_warehouse()
    tables = (
        "staging.stg_ga4__sessions",
        "staging.stg_ga4__events",
        "staging.stg_ga4__micro_conversions",
        REACH,
        f"marts.{DAILY}",
        f"marts.{MICRO}",
        "marts.fct_sales_daily",
        "marts.fct_reconciliation",
    )
    for table in tables:
        connection.execute(f"delete from {table} where {DAY}")
    connection.execute(f"update ops.pulls set row_count = 0 where {DAY}")
    connection.execute(
        f"update marts.{WINDOWED} set reached = reached * 3 / 4, "
        "previous_reached = previous_reached * 3 / 4 where property_id = '100'"
    )
    connection.execute("delete from marts.fct_micro_conversion_window where property_id = '100'")
    assert check(connection, "intermediate").is_passed
    assert check(connection, "marts").is_passed


def test_rows_that_the_source_left_out_excuse_the_parts() -> None:
    connection = build_warehouse()
    connection.execute(
        f"delete from {REACH} where {DAY} and segment_value = 'desktop' and key = 'sessions'"
    )
    assert failures(check(connection, "intermediate")) >= {
        ("100", "int_funnel__reach_daily", "devices_add_up_to_total"),
        ("100", "int_funnel__reach_daily", "sessions_equal_staging"),
    }
    connection.execute(f"update {REACH} set is_complete = false where segment_name = 'device'")
    assert failures(check(connection, "intermediate")) == {
        ("100", "int_funnel__reach_daily", "sessions_equal_staging")
    }


def test_a_day_of_which_only_sessions_could_be_loaded_lacks_no_step() -> None:
    """Its sessions are in reach; the daily mart has no funnel of it, and another day's is whole."""
    connection = build_warehouse()
    connection.execute(f"delete from {REACH} where {DAY} and key <> 'sessions'")
    for table in (DAILY, MICRO, "fct_sales_daily", "fct_reconciliation"):
        connection.execute(f"delete from marts.{table} where {DAY}")
    failed = failures(check(connection, "marts"))
    assert failed == {
        ("100", DAILY, "date_is_present"),
        ("100", WINDOWED, "totals_equal_intermediate"),
        ("100", "fct_micro_conversion_window", "totals_equal_intermediate"),
    }


def test_a_window_leaves_out_days_that_the_daily_mart_could_not_show() -> None:
    connection = build_warehouse()
    connection.execute(
        f"insert into {REACH} by name select * replace (date '2026-02-27' as date) "
        f"from {REACH} where {DAY}"
    )
    assert check(connection, "marts").is_passed
