"""Days: what is over where, which days a night works on, and what missed nights cost."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from pipelines.clock import pin_clock
from pipelines.config.settings import Nightly, Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.errors import ConfigError
from pipelines.ga4.client import Profile
from pipelines.ga4.report_catalog import build_reports
from pipelines.ingest.day_window import (
    FIRST_DAY,
    DayWindow,
    nightly_window,
    window_of_tags,
    yesterday,
)
from pipelines.ingest.run_window import (
    newest_day,
    plan_window,
    with_remembered_time_zones,
    with_time_zones,
)
from pipelines.orchestration.partitions import daily_partitions
from pipelines.warehouse.connect import build_database, kept_open
from pipelines.warehouse.load import record_failure

AUCKLAND, LOS_ANGELES = ZoneInfo("Pacific/Auckland"), ZoneInfo("America/Los_Angeles")
# 3 March 01:00 in Auckland, 2 March 04:00 in Los Angeles.
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEWEST = date(2026, 3, 1)
REPORTS = build_reports(load_plan())


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home with one property in UTC, at NOW."""
    pin_clock(tmp_path, NOW, ["1", "2", "42", "43"])
    return Settings(home=tmp_path, properties=(Property(id="42", time_zone="UTC"),))


def loaded(settings: Settings, last: date, property_id: str = "42", status: str = "loaded") -> None:
    """Pretend that a night up to `last` was pulled."""
    with build_database(settings.build_db) as connection:
        for spec in REPORTS:
            record_failure(
                connection, property_id, spec, (last - timedelta(days=3), last),
                run_id="r", status=status, message="", now=NOW,
            )  # fmt: skip


def span(window: DayWindow) -> tuple[str, str]:
    return f"{window.start:%m-%d}", f"{window.end:%m-%d}"


@pytest.mark.parametrize(
    ("zone", "day"),
    [
        ("Pacific/Auckland", date(2026, 3, 2)),
        ("America/Los_Angeles", date(2026, 3, 1)),
        ("UTC", date(2026, 3, 1)),
        ("Pacific/Kiritimati", date(2026, 3, 2)),
    ],
)
def test_yesterday_is_the_property_s_own(zone, day):
    assert yesterday(ZoneInfo(zone), NOW) == day


def test_yesterday_on_the_nights_of_a_clock_change():
    # Berlin goes from +1 to +2 on 29 March 2026: 22:30 UTC is still Sunday, then Monday.
    berlin = ZoneInfo("Europe/Berlin")
    assert yesterday(berlin, datetime(2026, 3, 28, 22, 30, tzinfo=UTC)) == date(2026, 3, 27)
    assert yesterday(berlin, datetime(2026, 3, 29, 22, 30, tzinfo=UTC)) == date(2026, 3, 29)


def test_a_lookback_of_three_days_is_four_days():
    window = nightly_window(date(2026, 3, 2), 3)
    assert window == DayWindow(date(2026, 2, 27), date(2026, 3, 2))
    assert nightly_window(FIRST_DAY, 3) == DayWindow(FIRST_DAY, FIRST_DAY)


@given(st.dates(FIRST_DAY, date(2040, 1, 1)), st.integers(0, 400))
def test_a_window_survives_its_tags(start, days):
    window = DayWindow(start, start + timedelta(days=days))
    assert window_of_tags(window.tags()) == window


def test_a_single_partition_is_a_window_of_one_day():
    day = date(2026, 3, 1)
    assert window_of_tags({"dagster/partition": "2026-03-01"}) == DayWindow(day, day)
    assert window_of_tags({}) is None


def test_partitions_end_with_the_last_day_that_is_over():
    for zone, last in ((AUCKLAND, "2026-03-02"), (LOS_ANGELES, "2026-03-01")):
        keys = daily_partitions(zone).get_partition_keys(current_time=NOW)
        assert (keys[0], keys[-1]) == ("2020-10-14", last)


@pytest.mark.parametrize(
    ("zones", "day"),
    [
        (["Pacific/Auckland"], date(2026, 3, 2)),
        (["America/Los_Angeles"], date(2026, 3, 1)),
        (["Pacific/Auckland", "America/Los_Angeles"], date(2026, 3, 1)),
        ([None], date(2026, 3, 1)),
        ([], date(2026, 3, 1)),
    ],
)
def test_the_newest_day_is_over_for_every_property(settings, zones, day):
    properties = tuple(
        Property(id=str(number), time_zone=zone) for number, zone in enumerate(zones, start=1)
    )
    assert newest_day(settings.model_copy(update={"properties": properties})) == day


def test_the_first_night_takes_the_whole_sweep(settings):
    # 35 days that end on 1 March: 26 January is the first of them.
    assert span(plan_window(settings)) == ("01-26", "03-01")


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        # Lookback 3: the newest day and the three before it.
        ("02-28", ("02-26", "03-01")),
        # The same night again.
        ("03-01", ("02-26", "03-01")),
        # One missed night: the night of 27 February saw 24 February settled, not the 25th.
        ("02-27", ("02-25", "03-01")),
        # A week missed: 22 February was the newest, 20 February is the first unsettled.
        ("02-22", ("02-20", "03-01")),
        # More than the sweep is never taken.
        ("01-02", ("01-26", "03-01")),
    ],
)
def test_a_night_takes_the_lookback_and_what_was_missed(settings, last, expected):
    loaded(settings, date.fromisoformat(f"2026-{last}"))
    assert span(plan_window(settings)) == expected


def test_without_lookback_a_night_is_one_day(settings):
    settings = settings.model_copy(update={"nightly": Nightly(lookback_days=0)})
    loaded(settings, NEWEST - timedelta(days=1))
    assert plan_window(settings) == DayWindow(NEWEST, NEWEST)


def test_pulls_that_were_held_back_were_not_read(settings):
    loaded(settings, date(2026, 2, 22))
    loaded(settings, date(2026, 2, 28), status="held_back")
    assert plan_window(settings).start == date(2026, 2, 20)


def test_a_new_property_takes_the_sweep(settings):
    loaded(settings, date(2026, 2, 28))
    both = (Property(id="42", time_zone="UTC"), Property(id="43", time_zone="UTC"))
    settings = settings.model_copy(update={"properties": both})
    assert span(plan_window(settings)) == ("01-26", "03-01")
    # Then the one that is furthest behind decides.
    loaded(settings, date(2026, 2, 24), "43")
    assert span(plan_window(settings)) == ("02-22", "03-01")


def test_an_older_day_is_a_window_of_its_own(settings):
    loaded(settings, date(2026, 2, 28))
    assert span(plan_window(settings, date(2026, 2, 10))) == ("02-07", "02-10")


def test_a_night_that_died_half_way_is_pulled_again_from_its_first_day(settings):
    first_night = (date(2026, 1, 26), NEWEST)
    with build_database(settings.build_db) as connection:
        for spec in REPORTS[:5]:
            record_failure(
                connection,
                "42",
                spec,
                first_night,
                run_id="r",
                status="loaded",
                message="",
                now=NOW,
            )
    assert span(plan_window(settings)) == ("01-26", "03-01")


@pytest.mark.parametrize("status", ["loaded", "failed"])
def test_a_plan_that_was_changed_and_changed_back_pulls_its_keys_again(settings, status):
    """What is stored, or was tried last, is of the plan between the two."""
    loaded(settings, date(2026, 2, 28))
    between = replace(next(one for one in REPORTS if one.name == "micro_by_all"), version=7)
    with build_database(settings.build_db) as connection:
        record_failure(
            connection, "42", between, (date(2026, 2, 27), date(2026, 2, 28)),
            run_id="r", status=status, message="", now=NOW + timedelta(days=1),
        )  # fmt: skip
    assert span(plan_window(settings)) == ("02-24", "03-01")


def test_an_optional_report_that_was_refused_is_not_missed(settings):
    with build_database(settings.build_db) as connection:
        for spec in REPORTS:
            record_failure(
                connection, "42", spec, (date(2026, 1, 26), date(2026, 2, 28)), run_id="r",
                status="loaded" if spec.is_required else "failed", message="", now=NOW,
            )  # fmt: skip
    assert span(plan_window(settings)) == ("02-26", "03-01")


@pytest.fixture(scope="module")
def kept_home(tmp_path_factory):
    """One for all examples; its database stays open."""
    home = tmp_path_factory.mktemp("home")
    with kept_open(Settings(home=home).build_db):
        yield home


@pytest.mark.slow
@examples(max_examples=20)
@given(st.integers(0, 20), st.integers(1, 60), st.integers(0, 80))
def test_a_window_never_has_a_hole_and_never_more_than_the_sweep(
    kept_home, lookback, sweep, days_ago
):
    """Whatever was missed: the day after the last one read is in, up to the sweep."""
    settings = Settings(
        home=kept_home,
        properties=(Property(id="42", time_zone="UTC"),),
        nightly=Nightly(lookback_days=lookback, sweep_days=sweep),
    )
    with build_database(settings.build_db) as connection:
        connection.execute("delete from ops.pulls")
    loaded(settings, NEWEST - timedelta(days=days_ago))
    window = plan_window(settings, now=NOW)
    assert window.end == NEWEST
    length = (window.end - window.start).days + 1
    assert 1 <= length <= sweep
    assert length >= min(sweep, max(lookback + 1, days_ago))


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (
            date(2026, 3, 2),
            ["2026-03-02 is not over yet for property 42 in UTC", "--date 2026-03-01"],
        ),
        (date(2030, 1, 1), ["2030-01-01", "2026-03-01"]),
        (date(2020, 10, 13), ["2020-10-13", "2020-10-14"]),
    ],
)
def test_a_day_that_cannot_be_pulled_is_named(settings, day, words):
    with pytest.raises(ConfigError) as caught:
        plan_window(settings, day)
    for word in words:
        assert word in str(caught.value)


def test_the_first_day_of_ga4_has_nothing_before_it(settings):
    assert plan_window(settings, FIRST_DAY) == DayWindow(FIRST_DAY, FIRST_DAY)


def test_zones_are_learned_where_none_is_written():
    settings = Settings(
        properties=(Property(id="1"), Property(id="2", time_zone="Asia/Tokyo"), Property(id="3"))
    )
    profiles = [
        Profile(property_id, zone, None, frozenset())
        for property_id, zone in [("1", "Pacific/Auckland"), ("2", "UTC"), ("3", None)]
    ]
    learned = with_time_zones(settings, profiles)
    assert [item.time_zone for item in learned.properties] == [
        "Pacific/Auckland", "Asia/Tokyo", None,
    ]  # fmt: skip
    assert learned.time_zone == AUCKLAND


def test_zones_are_remembered_by_the_published_version(settings):
    unknown = settings.model_copy(update={"properties": (Property(id="42"),)})
    assert with_remembered_time_zones(unknown) == unknown
    version = settings.published_dir / "current"
    version.mkdir(parents=True)
    with duckdb.connect(str(version / "sluice.duckdb")) as connection:
        connection.execute("create schema ops")
        connection.execute(
            "create table ops.properties as "
            "select '42' as property_id, 'Pacific/Auckland' as time_zone"
        )
    assert with_remembered_time_zones(unknown).time_zone == AUCKLAND
    # What is written stays.
    assert with_remembered_time_zones(settings) == settings
