"""What the raw gate finds doubtful of a day: which report, why, and what it makes of the numbers.

The warehouse of `checked_warehouse`: 100 sessions and 545 events a day in every segment of
both properties, and 65 events of composite keys in one.
"""

from __future__ import annotations

from datetime import date
from functools import cache
from unittest.mock import ANY

import duckdb
import pytest

from data_checks import Window, record, run_gate
from data_checks.day_rules import DAY_RULES, DayWarning
from data_checks.model import GateReport, GateResult
from data_checks.registry import SUITES
from tests.support.checked_warehouse import (
    PROPERTIES,
    WINDOW,
    build_warehouse,
    check,
    spoiled_apart,
)
from tests.support.hand_clock import MORNING

pytestmark = pytest.mark.slow

DAY = "property_id = '100' and date = '2026-03-02'"
MISSING, LOW = "missing_rows", "low_volume"
PARTS, WITHIN, TOTAL = "parts_add_up_to_total", "parts_stay_within_total", "total_holds_its_parts"
NOT_LOW, NOT_HIGH = "volume_is_not_low", "volume_is_not_high"


def recorded(
    connection: duckdb.DuckDBPyConnection, properties: tuple[str, ...] = PROPERTIES
) -> tuple[GateReport, list[tuple]]:
    """Run the raw gate, record it, and read what is now said against days."""
    report = check(connection, "raw", properties)
    assert report.is_passed
    record(connection, report)
    rows = connection.execute(
        "select property_id, report, date::varchar, expectation, mark, observed "
        "from ops.day_warnings order by all"
    ).fetchall()
    return report, rows


def lose(report: str, rows: str = "true", day: str = DAY) -> list[str]:
    """GA4 answered the day without the rows: neither the table nor the pull has them."""
    return [
        f"delete from raw.ga4_{report} where {day} and {rows}",
        f"update ops.pulls set row_count = (select count(*) from raw.ga4_{report} where {day})"
        f" where report = '{report}' and {day}",
    ]


def precede(report: str, metric: str, volume: int, weeks: tuple[int, ...] = (1, 2)) -> list[str]:
    """Two earlier Mondays of `volume`, in one row each, before Monday 2 March."""
    return [
        statement
        for days in (7 * week for week in weeks)
        for statement in (
            f"insert into raw.ga4_{report} by name select * replace (date - {days} as date, "
            f"{volume} as {metric}) from raw.ga4_{report} where {DAY} limit 1",
            f"insert into ops.pulls by name select * replace (date - {days} as date, 1 as "
            f"row_count) from ops.pulls where report = '{report}' and {DAY}",
        )
    ]


def warning(report: str, expectation: str, mark: str | None, observed: str = ANY) -> tuple:
    """What is said of DAY."""
    return ("100", report, "2026-03-02", expectation, mark, observed)


# Of each case what happens to the two properties, and all that is then said of their days.
CASES: dict[str, tuple[list[str], list[tuple]]] = {
    **{
        f"a day of a segment without any row: {report}": (
            lose(report),
            [warning(report, PARTS, MISSING,
                     f"allowed_difference {allowed}, missing {total}, total {total}, parts 0")],
        )
        for report, total, allowed in (
            # 2 %, six times 2.3 % of the total, an estimate, and the half that it is rounded by.
            ("sessions_by_channel", 100, 16.3),
            ("cells", 100, 16.3),
            # Events are counted: 2 %.
            ("events_by_channel", 545, 10.9),
            ("micro_by_device", 65, 1.3),
        )
    },
    "a day of a segment with a single small row": (
        [
            *lose("sessions_by_channel", "session_default_channel_group = '(not set)'"),
            f"update raw.ga4_sessions_by_channel set sessions = 3 where {DAY}",
        ],
        # 2 + 6 · 0.023 · √(100² + 3²) + 2 / 2
        [warning("sessions_by_channel", PARTS, MISSING,
                 "allowed_difference 16.8, missing 97, total 100, parts 3")],
    ),
    "a total below all of its segments is what lacks rows": (
        [f"update raw.ga4_sessions_by_all set sessions = 3 where {DAY}"],
        [
            # Of the segments and the cells it is told as well, and nothing is held against them.
            warning("cells", WITHIN, None),
            # 2 + 6 · 0.023 · √(3² + 60² + 40²) + 3 / 2
            warning("sessions_by_all", TOTAL, MISSING,
                    "allowed_difference 13.5, missing 97, total 3, parts 100"),
            *(warning(f"sessions_by_{name}", WITHIN, None)
              for name in ("channel", "country", "device", "visitor")),
        ],
    ),
    "one segment above the total makes no number incomplete": (
        [f"update raw.ga4_sessions_by_visitor set sessions = sessions + 20 where {DAY}"],
        [warning("sessions_by_visitor", WITHIN, None)],
    ),
    "two samples need not agree, and what was not loaded is told as such": (
        [
            f"update raw.ga4_sessions_by_device set sessions = 3 where {DAY}",
            "update ops.pulls set is_sampled = true "
            f"where report = 'sessions_by_device' and {DAY}",
            f"delete from raw.ga4_micro_by_device where {DAY}",
            f"update ops.pulls set status = 'failed' where report = 'micro_by_device' and {DAY}",
        ],
        [],
    ),
    **{
        f"{report}: {today} where usually {usual}": (
            precede(report, metric, usual),
            [warning(report, expectation, mark,
                     f"of_usual {round(today / usual, 4)}, volume {today}, usual_volume {usual}")]
            if expectation
            else [],
        )
        for report, metric, usual, today, expectation, mark in (
            ("sessions_by_all", "sessions", 301, 100, NOT_LOW, LOW),
            ("sessions_by_all", "sessions", 300, 100, None, None),
            # 300 is a third of 901, and 900 of 300 is three times as much.
            ("pages", "screen_page_views", 901, 300, NOT_LOW, LOW),
            ("pages", "screen_page_views", 900, 300, None, None),
            ("item_lists", "items_viewed_in_list", 533, 1600, NOT_HIGH, None),
            ("item_lists", "items_viewed_in_list", 534, 1600, None, None),
            # 3 + 3 of usually 190: so few come in clumps.
            ("event_params", "event_count", 190, 6, None, None),
        )
    },
    "nothing at all where usually 29": (
        [*precede("event_params", "event_count", 29), *lose("event_params")],
        [],
    ),
    "nothing at all where usually 30": (
        [*precede("event_params", "event_count", 30), *lose("event_params")],
        [warning("event_params", NOT_LOW, LOW)],
    ),
    "a single earlier week is too little": (
        precede("pages", "screen_page_views", 900_000, weeks=(1,)),
        [],
    ),
    "without earlier weeks a day with nothing is held against those beside it": (
        lose("pages"),
        [warning("pages", NOT_LOW, LOW, "of_usual 0, volume 0, usual_volume 300")],
    ),
    "a day beside it without any is no reason to expect some": (
        [
            statement
            for day in (1, 2, 3)
            for statement in lose("pages", day=f"property_id = '100' and date = '2026-03-0{day}'")
        ],
        [],
    ),
    "a metric that may not be seen is no low volume": (
        [
            *precede("pages", "screen_page_views", 900),
            f"update raw.ga4_pages set screen_page_views = null where {DAY}",
        ],
        [],
    ),
    "every failing day is remembered, not only a sample": (
        ["update raw.ga4_events_by_country set event_count = 1 "
         "where property_id in ('100', '200')"],
        [
            (name, "events_by_country", f"2026-03-0{day}", PARTS, MISSING, ANY)
            for name in PROPERTIES
            for day in range(1, 5)
        ],
    ),
}  # fmt: skip


@cache
def _judged() -> tuple[GateReport, dict[str, list[tuple]]]:
    connection, copies = spoiled_apart(
        {case: statements for case, (statements, _) in CASES.items()}
    )
    report, rows = recorded(connection, (*PROPERTIES, *copies))
    found: dict[str, list[tuple]] = {case: [] for case in CASES}
    for name, *row in rows:
        # Whole days have no warning.
        assert name not in PROPERTIES
        case, name_of = copies[name]
        found[case].append((name_of, *row))
    return report, found


@pytest.mark.parametrize("case", CASES)
def test_what_is_said_of_a_day(case: str) -> None:
    assert _judged()[1][case] == CASES[case][1]


def test_a_day_that_is_whole_again_heals_and_others_stay() -> None:
    connection = build_warehouse()
    connection.execute("create table whole as from raw.ga4_sessions_by_channel")
    connection.execute(
        "update raw.ga4_sessions_by_channel set sessions = 3 where date <= '2026-03-02'"
    )
    assert {row[:3:2] for row in recorded(connection)[1]} == {
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
    assert recorded(connection)[1] == []


def test_every_rule_is_about_a_warning_of_the_raw_gate() -> None:
    report, _ = _judged()
    severities = {result.expectation: result.severity for result in report.results}
    assert {severities.get(name) for name in DAY_RULES} == {"warning"}
    assert "raw" in SUITES and report.window == WINDOW


# A report of whole windows may fail twice on one day.
TWICE = GateReport("raw", (GateResult(
    "1", "raw.ga4_items", "revenue_is_not_negative", "warning", False, "2 differ", 2,
    days=(DayWarning(date(2026, 3, 2), "a"), DayWarning(date(2026, 3, 2), "b")),
),), "run", MORNING, WINDOW)  # fmt: skip


def test_a_day_that_fails_twice_is_named_once() -> None:
    connection = build_warehouse()
    record(connection, TWICE)
    assert connection.execute("select date::varchar from ops.day_warnings").fetchall() == [
        ("2026-03-02",)
    ]


def test_a_write_that_fails_changes_neither_results_nor_days() -> None:
    connection = build_warehouse()
    record(connection, TWICE)
    connection.execute("delete from ops.gate_results")
    connection.execute("alter table ops.day_warnings rename column mark to word")
    with pytest.raises(duckdb.Error):
        record(connection, TWICE)
    assert connection.execute("select count(*) from ops.gate_results").fetchall() == [(0,)]
    assert connection.execute("select count(*) from ops.day_warnings").fetchall() == [(1,)]
