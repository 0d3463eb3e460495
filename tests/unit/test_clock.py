"""The home's clock: pinned, kept, moved on by later processes, and given up to a real property."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.clock import FULL_SPEED, Clock, PinnedClock, leave_pin, pin_clock
from pipelines.config.settings import Property, Settings
from pipelines.demo import PROPERTY_ID
from pipelines.errors import ConfigError
from pipelines.ingest.run_window import newest_day, plan_window
from tests.support.hand_clock import MORNING

DEMO, REAL = Property(id=PROPERTY_ID, time_zone="Europe/Berlin"), Property(id="42")
PINNED_AT = datetime(2030, 1, 1, tzinfo=UTC)
PINNED = PinnedClock(MORNING, PINNED_AT)


def settings(home: Path, *properties: Property) -> Settings:
    return Settings(home=home, properties=properties)


def test_the_machine_s_clock_is_the_default(tmp_path):
    for home in (settings(tmp_path), settings(tmp_path, REAL), settings(tmp_path, DEMO)):
        assert type(home.clock) is Clock
    assert Clock().at(PINNED_AT) == PINNED_AT


def test_a_pinned_clock_keeps_time_for_half_a_day_and_then_nearly_stands():
    assert PINNED.at(PINNED_AT) == MORNING
    assert PINNED.at(PINNED_AT + timedelta(seconds=90)) == MORNING + timedelta(seconds=90)
    half_a_day = MORNING + timedelta(hours=12)
    assert PINNED.at(PINNED_AT + timedelta(hours=12)) == half_a_day
    # 10,000 hours later it is an hour later.
    assert PINNED.at(PINNED_AT + timedelta(hours=10_012)) == half_a_day + timedelta(hours=1)


def test_a_machine_whose_clock_was_put_back_does_not_undo_the_pin():
    assert PINNED.at(PINNED_AT - timedelta(days=400)) == MORNING


@given(st.timedeltas(timedelta(0), timedelta(days=3_000)), st.timedeltas(timedelta(seconds=1)))
def test_what_happens_later_has_a_later_stamp(passed, more):
    """In whichever process: the clock depends on the machine's alone."""
    sooner = PINNED_AT + passed
    later = sooner + min(more, timedelta(days=3_000))
    assert PINNED.at(sooner) < PINNED.at(later)
    assert PINNED.at(later).date() <= MORNING.date() + timedelta(days=1)


@pytest.mark.parametrize("days", [0, 1, 45, 200, 1_000])
def test_a_home_believes_in_its_pin_for_years(tmp_path, days):
    """As if it had been pinned so many days ago."""
    pin_clock(tmp_path, MORNING, [PROPERTY_ID])
    path = tmp_path / "demo" / "clock.json"
    pinned_at = settings(tmp_path).clock.pinned_at
    text = path.read_text().replace(
        pinned_at.isoformat(), (pinned_at - timedelta(days=days)).isoformat()
    )
    path.write_text(text)
    for home in (settings(tmp_path), settings(tmp_path, DEMO)):
        assert home.clock.pinned_at == pinned_at - timedelta(days=days)
        assert newest_day(home) == date(2026, 3, 3)
        assert plan_window(home).end == date(2026, 3, 3)


def test_a_real_property_lives_in_real_time(tmp_path):
    """Also before its first night, and with the demo's property beside it."""
    pin_clock(tmp_path, MORNING, [PROPERTY_ID])
    for properties in ((REAL,), (DEMO, REAL)):
        assert type(settings(tmp_path, *properties).clock) is Clock
    assert isinstance(settings(tmp_path, DEMO).clock, PinnedClock)


def test_a_home_leaves_its_pin_for_good_with_the_first_real_property(tmp_path):
    assert not leave_pin(tmp_path, ["42"])
    pin_clock(tmp_path, MORNING, [PROPERTY_ID])
    assert not leave_pin(tmp_path, [PROPERTY_ID])
    assert not leave_pin(tmp_path, [])
    assert isinstance(settings(tmp_path).clock, PinnedClock)
    assert leave_pin(tmp_path, ["42", PROPERTY_ID])
    assert type(settings(tmp_path).clock) is Clock
    assert not leave_pin(tmp_path, ["42"])


def test_a_pin_of_another_zone_is_the_same_moment(tmp_path):
    moment = datetime.fromisoformat("2026-07-01T05:30:00+02:00")
    pin_clock(tmp_path, moment, [PROPERTY_ID])
    clock = settings(tmp_path).clock
    assert clock.at(clock.pinned_at) == datetime(2026, 7, 1, 3, 30, tzinfo=UTC)
    assert clock.at(clock.pinned_at).tzinfo is UTC
    assert clock.at(clock.pinned_at + FULL_SPEED).date() == date(2026, 7, 1)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"moment": "tomorrow", "pinned_at": "2026-01-01", "properties": []}',
     '{"moment": 7, "pinned_at": 8, "properties": 9}'],
)  # fmt: skip
def test_a_broken_pin_is_named(tmp_path, text):
    path = tmp_path / "demo" / "clock.json"
    path.parent.mkdir()
    path.write_text(text)
    with pytest.raises(ConfigError, match="delete the file") as caught:
        settings(tmp_path).clock.now()
    assert str(path) in str(caught.value)


def test_a_home_that_is_a_file_has_no_pin(tmp_path):
    (tmp_path / "home").write_text("")
    assert type(settings(tmp_path / "home").clock) is Clock
