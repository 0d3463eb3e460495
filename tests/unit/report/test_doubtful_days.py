"""A day of a report that is not whole: its alert, once, and its words on the page and in status."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from pipelines.config.settings import Alerts, Property, Settings
from pipelines.monitoring.alerts import tell
from pipelines.report.doubtful_days import DoubtfulDay
from pipelines.report.queries import doubtful_days
from pipelines.report.rows.changes import Factor, Shift
from pipelines.report.rows.quality import Completeness, GateWarning
from pipelines.report.sections.change_sections import change_section
from pipelines.report.sections.quality_section import DAYS_SHOWN, quality_section
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.runs import start_run
from pipelines.warehouse.statuses import RunStatus
from tests.support.empty_page import EMPTY
from tests.support.hand_clock import MORNING
from tests.support.webhook_server import WebhookServer

NIGHT = date(2026, 6, 30)
GAP = DoubtfulDay(
    "1", "sessions_by_channel", date(2026, 6, 28), True, None, False,
    "parts_add_up_to_total: allowed_difference 2, missing 97, total 100, parts 3", False,
)  # fmt: skip
WORDS = (
    "rows are missing (parts_add_up_to_total: allowed_difference 2, missing 97, total 100, parts 3)"
)
MART = """
    create or replace table marts.fct_data_completeness (
        property_id varchar, report varchar, date date, window_name varchar,
        has_missing_rows boolean, missing_share double, has_low_volume boolean, warnings varchar,
        is_sampled boolean, is_thresholded boolean, is_truncated boolean
    )
"""


def stored(day: DoubtfulDay, *, window: str = "1d", told: str = "") -> tuple:
    """The day as the mart has it; `told`: the flag with which GA4 itself says why."""
    return (
        day.property_id, day.report, day.date, window, day.has_missing_rows, day.missing_share,
        day.has_low_volume, day.warnings, told == "sampled", told == "thresholded",
        told == "truncated",
    )  # fmt: skip


WHOLE = stored(DoubtfulDay("1", "sessions_by_all", NIGHT, False, 0, False, None, False))


@pytest.fixture
def home(alerted: WebhookServer, tmp_path: Path) -> Settings:
    settings = Settings(
        home=tmp_path / "home",
        properties=(Property(id="1"), Property(id="2")),
        alerts=Alerts(webhook=alerted.address),
    )
    with build_database(settings.build_db) as connection:
        connection.execute("create schema marts")
    return settings


def night(settings: Settings, run_id: str, *rows: tuple) -> None:
    """A night that publishes these rows, and tells what it has to tell."""
    with build_database(settings.build_db) as connection:
        # The one before has ended.
        connection.execute("update ops.runs set status = 'published'")
        start_run(connection, run_id, "nightly", NIGHT, NIGHT, "0", MORNING)
        connection.execute(MART)
        for row in (WHOLE, *rows):
            marks = ", ".join("?" * len(row))
            connection.execute(
                f"insert into marts.fct_data_completeness values ({marks})", list(row)
            )
    tell(settings, run_id, RunStatus.PUBLISHED, "", (0.0, 0.0))


def test_the_alert_names_property_report_day_and_what_is_missing(
    home: Settings, alerted: WebhookServer
) -> None:
    night(home, "run1", stored(GAP))
    ((alert,),) = (message["alerts"] for message in alerted.messages)
    assert alert["alert_class"] == "data_quality"
    assert (alert["property_id"], alert["report"], alert["date"]) == (
        "1", "sessions_by_channel", "2026-06-28",
    )  # fmt: skip
    assert alert["message"] == f"Property 1, report sessions_by_channel of 2026-06-28: {WORDS}."


def test_a_day_is_told_once_and_another_one_anew(home: Settings, alerted: WebhookServer) -> None:
    night(home, "run1", stored(GAP))
    # The next night sees it differently, and finds another day.
    again = replace(GAP, warnings="parts_add_up_to_total: parts 4")
    night(home, "run2", stored(again), stored(replace(GAP, date=date(2026, 6, 29))))
    night(home, "run3", stored(again))
    told = [[alert["date"] for alert in message["alerts"]] for message in alerted.messages]
    assert told == [["2026-06-28"], ["2026-06-29"]]


def test_what_is_no_news_is_not_told(home: Settings, alerted: WebhookServer) -> None:
    night(
        home,
        "run1",
        stored(replace(GAP, date=date(2026, 6, 2))),  # the 28th day back is the 3rd
        stored(GAP, window="28d"),
        *(
            stored(replace(GAP, report=flag), told=flag)
            for flag in ("sampled", "thresholded", "truncated")
        ),
    )
    assert alerted.asked == 0
    night(home, "run2", stored(replace(GAP, date=date(2026, 6, 3))))
    assert [alert["date"] for alert in alerted.messages[0]["alerts"]] == ["2026-06-03"]


def test_a_property_that_is_blocked_keeps_its_older_numbers(
    home: Settings, alerted: WebhookServer
) -> None:
    with build_database(home.build_db) as connection:
        connection.execute(
            "insert into ops.held_back by name select 'run1' as run_id, '1' as property_id, "
            "'raw' as gate, 'a reason' as reason"
        )
    night(home, "run1", stored(GAP), stored(replace(GAP, property_id="2")), stored(
        DoubtfulDay("2", "sessions_by_all", NIGHT, False, 0, False, None, False)
    ))  # fmt: skip
    alerts = alerted.messages[0]["alerts"]
    assert [(one["alert_class"], one["property_id"]) for one in alerts] == [
        ("gate_failed", "1"), ("data_quality", "2"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (GAP, WORDS),
        (
            replace(GAP, missing_share=0.204, warnings=None),
            "rows are missing (the rows lack 20 % of GA4's own total)",
        ),
        (
            replace(GAP, has_missing_rows=False, has_low_volume=True, warnings="volume 3"),
            "the volume is unusually low (volume 3)",
        ),
        (
            replace(GAP, has_low_volume=True, missing_share=0.5, warnings="a; b"),
            "rows are missing and the volume is unusually low (a; b; the rows lack 50 % of GA4's "
            "own total)",
        ),
    ],
)
def test_what_is_wrong_in_words(day: DoubtfulDay, words: str) -> None:
    assert day.words == words


REPORTS = Completeness("sessions_by_channel", 28, 27, None, None, 0, 0, 0, 0, 0, 0)


def test_the_page_names_the_day_the_report_and_the_warning() -> None:
    shop = replace(
        EMPTY,
        completeness=(REPORTS,),
        doubtful_days=(GAP,),
        warnings=(
            GateWarning(
                "raw", "raw.ga4_sessions_by_channel", "parts_add_up_to_total", "2026-06-28",
                "parts 3",
            ),
        ),
    )  # fmt: skip
    section = quality_section(shop)
    assert "Not whole, though GA4 answered: 28 Jun 2026." in section.summary
    tables = {table.caption: table.rows for table in section.tables}
    assert tables["Days that are not whole"] == (("28 Jun 2026", "Sessions by channel", WORDS),)
    assert tables["Checks that failed"] == (
        ("raw", "raw.ga4_sessions_by_channel", "Parts add up to total", "2026-06-28", "parts 3"),
    )


def test_a_long_list_is_cut_and_says_how_long_it_is() -> None:
    days = tuple(replace(GAP, date=date(2026, 6, day)) for day in range(28, 4, -1))
    section = quality_section(replace(EMPTY, completeness=(REPORTS,), doubtful_days=days))
    assert section.summary[1] == (
        "Not whole, though GA4 answered: 28 Jun 2026, 27 Jun 2026, 26 Jun 2026, 25 Jun 2026, "
        "24 Jun 2026 and 19 more days."
    )
    (table, _) = section.tables
    assert (table.caption, len(table.rows)) == (
        f"Days that are not whole ({DAYS_SHOWN} of 24)", DAYS_SHOWN,
    )  # fmt: skip


@pytest.mark.parametrize(("factor", "shift"), [(True, True), (False, True), (True, False)])
def test_a_change_on_incomplete_data_says_so(factor: bool, shift: bool) -> None:
    shop = replace(
        EMPTY,
        factors=(Factor("sessions", "Sessions", 100, 90, -10.0, None, factor),),
        shifts=(Shift("Added", 0.1, 0.0, False, False, shift),),
    )
    is_said = any("rest on incomplete data" in text for text in change_section(shop).summary)
    assert is_said == (not (factor and shift))


def test_a_version_from_before_they_were_told_has_no_such_days(home: Settings) -> None:
    with build_database(home.build_db) as connection:
        connection.execute("create table marts.fct_data_completeness (property_id varchar)")
        assert doubtful_days(connection, "1") == ()
        connection.execute(MART)
        for row in (WHOLE, stored(GAP), stored(replace(GAP, property_id="2"))):
            marks = ", ".join("?" * len(row))
            connection.execute(
                f"insert into marts.fct_data_completeness values ({marks})", list(row)
            )
        assert doubtful_days(connection, "1") == (GAP,)
