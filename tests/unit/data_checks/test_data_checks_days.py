"""What the raw gate finds doubtful of a day: which report, why, and what it makes of the numbers.

The warehouse of `checked_warehouse`: 100 sessions and 545 events a day in every segment of
both properties, and 65 events of composite keys in one.
"""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from data_checks import Window, record, run_gate
from data_checks.day_rules import DAY_RULES, DayWarning
from data_checks.model import GateReport, GateResult
from data_checks.registry import SUITES
from tests.support.checked_warehouse import WINDOW, build_warehouse, check
from tests.support.hand_clock import MORNING

pytestmark = pytest.mark.slow

DAY = "property_id = '100' and date = '2026-03-02'"
MISSING, LOW = "missing_rows", "low_volume"


def warned(connection: duckdb.DuckDBPyConnection) -> list[tuple]:
    """Run the raw gate, record it, and read what it now says against days."""
    report = check(connection, "raw")
    assert report.is_passed
    record(connection, report)
    return connection.execute(
        "select property_id, report, date::varchar, expectation, mark, observed "
        "from ops.day_warnings order by all"
    ).fetchall()


def lose(
    connection: duckdb.DuckDBPyConnection, report: str, rows: str = "true", day: str = DAY
) -> None:
    """GA4 answered the day without the rows: neither the table nor the pull has them."""
    connection.execute(f"delete from raw.ga4_{report} where {day} and {rows}")
    connection.execute(
        f"update ops.pulls set row_count = (select count(*) from raw.ga4_{report} where {day})"
        f" where report = '{report}' and {day}"
    )


def precede(connection: duckdb.DuckDBPyConnection, report: str, metric: str, volume: int) -> None:
    """Two earlier Mondays of `volume`, in one row each, before Monday 2 March."""
    for days in (7, 14):
        connection.execute(
            f"insert into raw.ga4_{report} by name select * replace (date - {days} as date, "
            f"{volume} as {metric}) from raw.ga4_{report} where {DAY} limit 1"
        )
        connection.execute(
            f"insert into ops.pulls by name select * replace (date - {days} as date, 1 as "
            f"row_count) from ops.pulls where report = '{report}' and {DAY}"
        )


def test_whole_days_have_no_warning() -> None:
    assert warned(build_warehouse()) == []


@pytest.mark.parametrize(
    ("report", "total", "allowed"),
    [
        # 2 %, six times 2.3 % of the total, an estimate, and the half that it is rounded by.
        ("sessions_by_channel", 100, 16.3),
        ("cells", 100, 16.3),
        # Events are counted: 2 %.
        ("events_by_channel", 545, 10.9),
        ("micro_by_device", 65, 1.3),
    ],
)
def test_a_day_of_a_segment_without_any_row(report: str, total: int, allowed: float) -> None:
    connection = build_warehouse()
    lose(connection, report)
    observed = f"allowed_difference {allowed}, missing {total}, total {total}, parts 0"
    assert warned(connection) == [
        ("100", report, "2026-03-02", "parts_add_up_to_total", MISSING, observed)
    ]


def test_a_day_of_a_segment_with_a_single_small_row() -> None:
    connection = build_warehouse()
    lose(connection, "sessions_by_channel", "session_default_channel_group = '(not set)'")
    connection.execute(f"update raw.ga4_sessions_by_channel set sessions = 3 where {DAY}")
    # 2 + 6 · 0.023 · √(100² + 3²) + 2 / 2
    observed = "allowed_difference 16.8, missing 97, total 100, parts 3"
    assert warned(connection) == [
        ("100", "sessions_by_channel", "2026-03-02", "parts_add_up_to_total", MISSING, observed)
    ]


def test_a_total_below_all_of_its_segments_is_what_lacks_rows() -> None:
    connection = build_warehouse()
    connection.execute(f"update raw.ga4_sessions_by_all set sessions = 3 where {DAY}")
    found = warned(connection)
    # 2 + 6 · 0.023 · √(3² + 60² + 40²) + 3 / 2
    observed = "allowed_difference 13.5, missing 97, total 3, parts 100"
    assert [row[1:] for row in found if row[4]] == [
        ("sessions_by_all", "2026-03-02", "total_holds_its_parts", MISSING, observed)
    ]
    # Of the segments and the cells it is told as well, and nothing is held against them.
    segments = [f"sessions_by_{name}" for name in ("channel", "country", "device", "visitor")]
    assert {row[1:5] for row in found if not row[4]} == {
        (name, "2026-03-02", "parts_stay_within_total", None) for name in (*segments, "cells")
    }


def test_one_segment_above_the_total_makes_no_number_incomplete() -> None:
    connection = build_warehouse()
    connection.execute(
        f"update raw.ga4_sessions_by_visitor set sessions = sessions + 20 where {DAY}"
    )
    assert [row[1:5] for row in warned(connection)] == [
        ("sessions_by_visitor", "2026-03-02", "parts_stay_within_total", None)
    ]


def test_two_samples_need_not_agree_and_what_was_not_loaded_is_told_as_such() -> None:
    connection = build_warehouse()
    connection.execute(f"update raw.ga4_sessions_by_device set sessions = 3 where {DAY}")
    connection.execute(
        f"update ops.pulls set is_sampled = true where report = 'sessions_by_device' and {DAY}"
    )
    connection.execute(f"delete from raw.ga4_micro_by_device where {DAY}")
    connection.execute(
        f"update ops.pulls set status = 'failed' where report = 'micro_by_device' and {DAY}"
    )
    assert warned(connection) == []


@pytest.mark.parametrize(
    ("report", "metric", "usual", "today", "expectation", "mark"),
    [
        ("sessions_by_all", "sessions", 301, 100, "volume_is_not_low", LOW),
        ("sessions_by_all", "sessions", 300, 100, None, None),
        # 300 is a third of 901, and 900 of 300 is three times as much.
        ("pages", "screen_page_views", 901, 300, "volume_is_not_low", LOW),
        ("pages", "screen_page_views", 900, 300, None, None),
        ("item_lists", "items_viewed_in_list", 533, 1600, "volume_is_not_high", None),
        ("item_lists", "items_viewed_in_list", 534, 1600, None, None),
        # 3 + 3 of usually 190: so few come in clumps.
        ("event_params", "event_count", 190, 6, None, None),
    ],
)
def test_a_volume_is_held_against_the_same_weekday(
    report: str, metric: str, usual: int, today: int, expectation: str | None, mark: str | None
) -> None:
    connection = build_warehouse()
    precede(connection, report, metric, usual)
    share = round(today / usual, 4)
    observed = f"of_usual {share}, volume {today}, usual_volume {usual}"
    expected = [("100", report, "2026-03-02", expectation, mark, observed)]
    assert warned(connection) == (expected if expectation else [])


def test_nothing_at_all_is_told_from_thirty_on() -> None:
    for usual, is_told in ((29, False), (30, True)):
        connection = build_warehouse()
        precede(connection, "event_params", "event_count", usual)
        lose(connection, "event_params")
        assert [row[1:5] for row in warned(connection)] == (
            [("event_params", "2026-03-02", "volume_is_not_low", LOW)] if is_told else []
        )


def test_a_single_earlier_week_is_too_little() -> None:
    connection = build_warehouse()
    precede(connection, "pages", "screen_page_views", 900_000)
    connection.execute("delete from ops.pulls where date = date '2026-03-02' - 14")
    connection.execute("delete from raw.ga4_pages where date = date '2026-03-02' - 14")
    assert warned(connection) == []


def test_without_earlier_weeks_a_day_with_nothing_is_held_against_those_beside_it() -> None:
    connection = build_warehouse()
    lose(connection, "pages")
    assert warned(connection) == [
        ("100", "pages", "2026-03-02", "volume_is_not_low", LOW,
         "of_usual 0, volume 0, usual_volume 300")
    ]  # fmt: skip
    # A day beside it without any is no reason to expect some.
    lose(connection, "pages", day="property_id = '100' and date = '2026-03-03'")
    lose(connection, "pages", day="property_id = '100' and date = '2026-03-01'")
    assert warned(connection) == []


def test_a_metric_that_may_not_be_seen_is_no_low_volume() -> None:
    connection = build_warehouse()
    precede(connection, "pages", "screen_page_views", 900)
    connection.execute(f"update raw.ga4_pages set screen_page_views = null where {DAY}")
    assert warned(connection) == []


def test_every_failing_day_is_remembered_not_only_a_sample() -> None:
    connection = build_warehouse()
    connection.execute("update raw.ga4_events_by_country set event_count = 1")
    found = [row for row in warned(connection) if row[3] == "parts_add_up_to_total"]
    assert [row[:3] for row in found] == [
        (name, "events_by_country", f"2026-03-0{day}")
        for name in ("100", "200")
        for day in range(1, 5)
    ]


def test_a_day_that_is_whole_again_heals_and_others_stay() -> None:
    connection = build_warehouse()
    connection.execute("create table whole as from raw.ga4_sessions_by_channel")
    connection.execute(
        "update raw.ga4_sessions_by_channel set sessions = 3 where date <= '2026-03-02'"
    )
    assert {row[:3:2] for row in warned(connection)} == {
        (name, f"2026-03-0{day}") for name in ("100", "200") for day in (1, 2)
    }
    connection.execute("delete from raw.ga4_sessions_by_channel")
    connection.execute("insert into raw.ga4_sessions_by_channel from whole")
    # Only the second day of property 100 is judged.
    day = Window(date(2026, 3, 2), date(2026, 3, 2))
    report = run_gate("raw", connection, window=day, run_id="2", properties=["100"], now=MORNING)
    record(connection, report)
    left = connection.execute(
        "select property_id, date::varchar from ops.day_warnings order by all"
    ).fetchall()
    assert left == [("100", "2026-03-01"), ("200", "2026-03-01"), ("200", "2026-03-02")]
    assert warned(connection) == []


def test_a_write_that_fails_changes_neither_results_nor_days() -> None:
    connection = build_warehouse()
    lose(connection, "sessions_by_channel")
    before = warned(connection)
    connection.execute("delete from ops.gate_results")
    connection.execute("alter table ops.day_warnings rename column mark to word")
    with pytest.raises(duckdb.Error):
        record(connection, check(connection, "raw"))
    assert connection.execute("select count(*) from ops.gate_results").fetchall() == [(0,)]
    assert connection.execute("select count(*) from ops.day_warnings").fetchall() == [
        (len(before),)
    ]


def test_every_rule_is_about_a_warning_of_the_raw_gate() -> None:
    connection = build_warehouse()
    report = check(connection, "raw")
    severities = {result.expectation: result.severity for result in report.results}
    assert {severities.get(name) for name in DAY_RULES} == {"warning"}
    assert "raw" in SUITES and report.window == WINDOW


def test_a_day_that_fails_twice_is_named_once() -> None:
    result = GateResult(
        "1", "raw.ga4_items", "revenue_is_not_negative", "warning", False, "2 differ", 2,
        days=(DayWarning(date(2026, 3, 2), "a"), DayWarning(date(2026, 3, 2), "b")),
    )  # fmt: skip
    connection = build_warehouse()
    record(connection, GateReport("raw", (result,), "run", MORNING, WINDOW))
    assert connection.execute("select date::varchar from ops.day_warnings").fetchall() == [
        ("2026-03-02",)
    ]
