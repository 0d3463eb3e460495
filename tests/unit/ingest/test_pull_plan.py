"""Which days of which report a night or a backfill pulls."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.config.settings import Nightly, Settings
from pipelines.ga4.client import Profile
from pipelines.ga4.report_catalog import Metric, ReportKind, ReportSpec
from pipelines.ingest.day_window import FIRST_DAY, DayWindow
from pipelines.ingest.pull_plan import (
    BACKFILL_DAYS,
    PullTask,
    backfill_items,
    finished,
    first_day,
    is_done,
    item_days,
    of_other_steps,
    plan_pulls,
)
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.ops import insert_rows

SESSIONS = (Metric("sessions"),)
PLAIN = ReportSpec("items", (), SESSIONS)
CHANNEL = ReportSpec("sessions_by_channel", (), SESSIONS, is_attributed=True)
USERS = ReportSpec("users_window", (), SESSIONS, kind=ReportKind.USERS_WINDOW)
FUNNEL = ReportSpec("funnel", (), SESSIONS, is_required=False, kind=ReportKind.FUNNEL)
METADATA = ReportSpec("metadata", (), (), kind=ReportKind.METADATA)
ONE, TWO = (Profile(name, None, None, frozenset()) for name in ("1", "2"))
# 12 March 2026 is a Thursday, the 15th a Sunday.
THURSDAY, SUNDAY = date(2026, 3, 12), date(2026, 3, 15)
NIGHTLY = Nightly()
SETTINGS = Settings()


def night(end: date, back: int = 3) -> DayWindow:
    return DayWindow(end - timedelta(days=back), end)


@pytest.fixture
def build(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with build_database(tmp_path / "build.duckdb") as connection:
        yield connection


def loaded(build, property_id, report, *days, status="loaded", run_id="r0", **more) -> None:
    rows = [
        {"property_id": property_id, "report": report, "date": day, "status": status,
         "run_id": run_id, **more}
        for day in days
    ]  # fmt: skip
    insert_rows(build, "pulls", rows)


@pytest.mark.parametrize(
    ("spec", "end", "first"),
    [
        (PLAIN, THURSDAY, date(2026, 3, 9)),
        # The 27th of February is the first of 14 days that end on the 12th of March.
        (CHANNEL, THURSDAY, date(2026, 2, 27)),
        # 35 days that end on the 15th of March begin on the 9th of February.
        (PLAIN, SUNDAY, date(2026, 2, 9)),
        (CHANNEL, SUNDAY, date(2026, 2, 9)),
        # Windows and funnels are not swept: they are what was asked on their day.
        (USERS, SUNDAY, date(2026, 3, 12)),
        (FUNNEL, SUNDAY, date(2026, 3, 12)),
        (METADATA, SUNDAY, date(2026, 3, 12)),
    ],
)
def test_how_far_back_a_night_goes(spec, end, first):
    assert first_day(spec, night(end), NIGHTLY) == first


def test_a_longer_window_wins():
    """After missed nights the window is longer than attribution."""
    assert first_day(CHANNEL, night(THURSDAY, 20), NIGHTLY) == THURSDAY - timedelta(days=20)


def test_nothing_is_older_than_ga4():
    end = FIRST_DAY + timedelta(days=2)
    assert first_day(CHANNEL, night(end, 1), NIGHTLY) == FIRST_DAY


def test_a_night_never_begins_a_backfill(build):
    """Days before a property's first stored one are not pulled by the way."""
    reports = [(ONE, CHANNEL), (TWO, CHANNEL), (ONE, PLAIN)]
    loaded(build, "1", "items", date(2026, 3, 5), date(2026, 3, 11))
    loaded(build, "1", "items", date(2026, 2, 1), status="held_back")
    loaded(build, "1", "users_window", date(2026, 1, 31), window_name="month")
    items = plan_pulls(build, SETTINGS, reports, night(THURSDAY))
    assert [(one.property_id, one.spec.name, one.start, one.end) for one in items] == [
        ("1", "sessions_by_channel", date(2026, 3, 5), THURSDAY),
        # This property has nothing stored: its first night is the window.
        ("2", "sessions_by_channel", date(2026, 3, 9), THURSDAY),
        ("1", "items", date(2026, 3, 9), THURSDAY),
    ]


def test_what_a_night_cannot_do_without_is_asked_for_first(build):
    optional = ReportSpec("items", (), SESSIONS, is_required=False)
    reports = [(ONE, optional), (ONE, CHANNEL), (TWO, optional), (TWO, CHANNEL)]
    expected = [("1", CHANNEL), ("2", CHANNEL), ("1", optional), ("2", optional)]
    items = plan_pulls(build, SETTINGS, reports, night(THURSDAY))
    assert [(one.property_id, one.spec) for one in items] == expected
    stretch = backfill_items(reports, night(THURSDAY))
    assert [(one.property_id, one.spec) for one in stretch] == expected


# How the last attempt of 1 and 2 March ended → whether a night up to the 12th tries them again.
ENDED = {"failed": True, "skipped": True, "refused": False, "held_back": False, "loaded": False}


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize("spec", [PLAIN, FUNNEL], ids=lambda spec: spec.kind)
def test_days_that_could_not_be_asked_for_are_tried_again_by_themselves(build, spec, status):
    """What GA4 refused waits for the sweep; so does what contradicted itself."""
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    version = {"report_version": spec.version}
    loaded(build, "1", "sessions_by_all", date(2026, 2, 20))
    loaded(build, "1", spec.name, first, second, status=status, pull_id="b", **version)
    # Before the property's first day, of another definition, and of another property: not these.
    loaded(build, "1", spec.name, date(2026, 2, 19), status="failed", **version)
    loaded(build, "1", spec.name, date(2026, 2, 25), status="failed", report_version=99)
    loaded(build, "2", spec.name, date(2026, 2, 26), status="failed", **version)
    items = plan_pulls(build, SETTINGS, [(ONE, spec)], night(THURSDAY))
    usual = PullTask(ONE, spec, date(2026, 3, 9), THURSDAY)
    assert items == [usual, *([PullTask(ONE, spec, first, second)] if ENDED[status] else [])]


@pytest.mark.parametrize(
    ("history", "is_asked"),
    [
        (("failed", "loaded"), False),
        # What is stored may be of before the day settled.
        (("loaded", "failed"), True),
        (("loaded", "skipped"), True),
        (("loaded", "failed", "refused"), False),
    ],
)
@pytest.mark.parametrize(
    "spec", [replace(PLAIN, is_required=False), FUNNEL], ids=["daily", "funnel"]
)
def test_the_last_attempt_says_whether_a_day_is_asked_for_again(build, spec, history, is_asked):
    day = date(2026, 3, 1)
    for number, status in enumerate(history):
        # A funnel that was loaded has the version of its steps, any other pull the spec's.
        version = 77 if (spec, status) == (FUNNEL, "loaded") else 1
        loaded(
            build, "1", spec.name, day, status=status, pull_id=str(number), report_version=version,
        )  # fmt: skip
    loaded(build, "1", "sessions_by_all", date(2026, 2, 20))
    _, *gaps = plan_pulls(build, SETTINGS, [(ONE, spec)], night(THURSDAY))
    assert gaps == ([PullTask(ONE, spec, day, day)] if is_asked else [])


@pytest.mark.parametrize(("version", "is_asked"), [(PLAIN.version, False), (99, True)])
def test_an_old_day_that_has_its_numbers_does_not_block_the_property(build, version, is_asked):
    """A required report that fails does; of an older definition these are not its numbers."""
    day = date(2026, 3, 1)
    loaded(build, "1", "items", day, pull_id="a", report_version=version)
    loaded(build, "1", "items", day, status="failed", pull_id="b", report_version=PLAIN.version)
    _, *gaps = plan_pulls(build, SETTINGS, [(ONE, PLAIN)], night(THURSDAY))
    assert gaps == ([PullTask(ONE, PLAIN, day, day)] if is_asked else [])


STEPS, MORE_STEPS, UNPROVEN = 77, 88, FUNNEL.version


@pytest.mark.parametrize(
    ("before", "again", "tonight", "days"),
    [
        (STEPS, None, STEPS, []),
        (STEPS, None, MORE_STEPS, [1, 2]),
        (UNPROVEN, None, STEPS, [1, 2]),
        # A night in which nobody could say what is tracked is no reason to ask older days again.
        (STEPS, None, UNPROVEN, []),
        # Once: these days were asked for again, and their own answer knew of no other step.
        (STEPS, STEPS, MORE_STEPS, [1]),
        (UNPROVEN, UNPROVEN, STEPS, [1, 2]),
    ],
)
def test_days_of_other_steps_are_asked_for_again(build, before, again, tonight, days):
    """1 and 2 March as they were asked for `before`; the 2nd `again` after tonight's first pull."""
    first, second = date(2026, 3, 1), date(2026, 3, 2)
    history = [
        (before, (first, second), 2), (tonight, (date(2026, 3, 11),), 11),
        *([(again, (second,), 12)] if again else []),
        (tonight, (date(2026, 3, 9), date(2026, 3, 10), date(2026, 3, 11), THURSDAY), 13),
    ]  # fmt: skip
    for version, those, day in history:
        loaded(
            build, "1", "funnel", *those, report_version=version, window_name="1d",
            pulled_at=datetime(2026, 3, day, tzinfo=UTC), pull_id=str(day),
        )  # fmt: skip
    # The 28 days up to a day are no day, and another property's steps are its own.
    loaded(build, "1", "funnel", date(2026, 3, 5), report_version=UNPROVEN, window_name="28d")
    loaded(build, "2", "funnel", first, report_version=MORE_STEPS, window_name="1d")
    usual = PullTask(ONE, FUNNEL, date(2026, 3, 9), THURSDAY)
    items = [usual, replace(usual, spec=PLAIN), PullTask(ONE, FUNNEL, first, second)]
    found = of_other_steps(build, SETTINGS, items, night(THURSDAY))
    asked = [PullTask(ONE, FUNNEL, date(2026, 3, days[0]), date(2026, 3, days[-1]))] if days else []
    assert found == asked


def test_days_whose_funnels_failed_wait_for_the_next_night(build):
    """`plan_pulls` makes up for them; what GA4 refused, or called empty, it may refuse again."""
    for day, status in ((1, "failed"), (2, "refused"), (3, "held_back")):
        loaded(
            build, "1", "funnel", date(2026, 3, day), status=status, report_version=UNPROVEN,
            window_name="1d", pulled_at=datetime(2026, 3, 4, tzinfo=UTC), pull_id="a",
        )  # fmt: skip
    loaded(
        build, "1", "funnel", THURSDAY, report_version=STEPS, window_name="1d",
        pulled_at=datetime(2026, 3, 13, tzinfo=UTC), pull_id="b",
    )  # fmt: skip
    usual = PullTask(ONE, FUNNEL, date(2026, 3, 9), THURSDAY)
    assert of_other_steps(build, SETTINGS, [usual], night(THURSDAY)) == []


def test_a_property_with_enough_days_gets_its_attribution_window(build):
    loaded(build, "1", "items", date(2026, 1, 1))
    (item,) = plan_pulls(build, SETTINGS, [(ONE, CHANNEL)], night(THURSDAY))
    assert item == PullTask(ONE, CHANNEL, date(2026, 2, 27), THURSDAY)
    assert str(item) == "sessions_by_channel of 1, 2026-02-27 to 2026-03-12"


def test_a_window_before_the_first_stored_day_is_pulled_as_it_is(build):
    """`sluice nightly --date` of an older day."""
    loaded(build, "1", "items", date(2026, 3, 11))
    (item,) = plan_pulls(build, SETTINGS, [(ONE, PLAIN)], night(date(2026, 2, 12)))
    assert (item.start, item.end) == (date(2026, 2, 9), date(2026, 2, 12))


WINDOW = DayWindow(date(2026, 1, 1), date(2026, 3, 1))


def test_a_backfill_goes_back_in_stretches_and_asks_whole_windows_once():
    items = backfill_items([(ONE, PLAIN), (ONE, FUNNEL), (ONE, USERS), (ONE, METADATA)], WINDOW)
    stretches = [
        (date(2026, 2, 2), date(2026, 3, 1)),
        (date(2026, 1, 5), date(2026, 2, 1)),
        (date(2026, 1, 1), date(2026, 1, 4)),
    ]
    for name in ("items", "funnel"):
        assert [(one.start, one.end) for one in items if one.spec.name == name] == stretches
    for name in ("users_window", "metadata"):
        assert [(one.start, one.end) for one in items if one.spec.name == name] == stretches[:1]
    # Newest first, every day once.
    assert [one.end for one in items] == sorted((one.end for one in items), reverse=True)
    days = [day for one in items if one.spec is PLAIN for day in item_days(one)]
    assert len(days) == len(set(days)) == (WINDOW.end - WINDOW.start).days + 1


def test_a_short_backfill_is_one_stretch():
    day = DayWindow(THURSDAY, THURSDAY)
    assert backfill_items([(ONE, PLAIN)], day) == [PullTask(ONE, PLAIN, THURSDAY, THURSDAY)]
    month = DayWindow(THURSDAY - timedelta(days=BACKFILL_DAYS - 1), THURSDAY)
    assert len(backfill_items([(ONE, PLAIN)], month)) == 1


def test_what_a_finished_item_has_loaded():
    three = [date(2026, 3, day) for day in (10, 11, 12)]
    assert item_days(PullTask(ONE, PLAIN, three[0], THURSDAY)) == three
    assert item_days(PullTask(ONE, FUNNEL, three[0], THURSDAY)) == three
    assert item_days(PullTask(ONE, USERS, three[0], THURSDAY)) == [THURSDAY]


def test_an_item_is_done_when_all_of_its_days_are(build):
    item = PullTask(ONE, PLAIN, date(2026, 3, 10), THURSDAY)
    loaded(build, "1", "items", *item_days(item)[:2], run_id="b1")
    # Neither of these is this item's third day.
    loaded(build, "1", "items", THURSDAY, run_id="b2")
    loaded(build, "2", "items", THURSDAY, run_id="b1")
    loaded(build, "1", "pages", THURSDAY, run_id="b1")
    loaded(build, "1", "items", THURSDAY, run_id="b1", status="failed")
    assert not is_done(item, finished(build, "b1"))
    loaded(build, "1", "items", THURSDAY, run_id="b1")
    assert is_done(item, finished(build, "b1"))
    assert not is_done(item, finished(build, "b2"))


@pytest.mark.parametrize(
    ("status", "is_left"),
    [("loaded", False), ("refused", False), ("failed", True), ("held_back", True),
     ("skipped", True)],
)  # fmt: skip
def test_a_backfill_asks_only_for_what_is_left(build, status, is_left):
    day = DayWindow(THURSDAY, THURSDAY)
    loaded(build, "1", "items", THURSDAY, status=status, run_id="b1")
    items = plan_pulls(build, SETTINGS, [(ONE, PLAIN), (TWO, PLAIN)], day, backfill_id="b1")
    assert [one.property_id for one in items] == (["1", "2"] if is_left else ["2"])


def test_what_is_too_large_comes_in_halves_of_its_days():
    newer, older = PullTask(ONE, PLAIN, THURSDAY, SUNDAY).halves()
    assert (newer.start, newer.end) == (date(2026, 3, 14), SUNDAY)
    assert (older.start, older.end) == (THURSDAY, date(2026, 3, 13))
    assert [len(half.halves()) for half in newer.halves()] == [0, 0]


@pytest.mark.parametrize("spec", [replace(PLAIN, top=200), USERS, FUNNEL, METADATA])
def test_what_is_about_all_of_its_days_has_no_halves(spec):
    assert PullTask(ONE, spec, THURSDAY, SUNDAY).halves() == ()
