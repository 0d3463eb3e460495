"""Disk and schedule: read from a home made by hand, and nothing in it is changed."""

from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.config.settings import Property, Settings
from pipelines.monitoring.doctor import machine_steps
from pipelines.monitoring.doctor.machine_steps import database_step, disk_step, schedule_step
from pipelines.monitoring.doctor.step_model import Mark
from pipelines.monitoring.home_lock import hold_lock, lock_path
from pipelines.publishing.versions import point_current_at
from pipelines.warehouse.connect import build_database
from tests.support.doctor_parts import publish
from tests.support.published import write_manifest

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def test_room_in_a_home_that_is_not_there_yet(settings):
    step = disk_step(settings)
    assert step.mark is Mark.RIGHT
    assert step.message.endswith("holds 0 bytes")
    assert not settings.home.exists()


def test_the_size_of_the_home_is_counted(settings):
    settings.logs_dir.mkdir(parents=True)
    settings.build_db.write_bytes(b"x" * 3_000)
    (settings.logs_dir / "a.log").write_bytes(b"x" * 500)
    (settings.logs_dir / "the same file").hardlink_to(settings.logs_dir / "a.log")
    assert disk_step(settings).facts["home_bytes"] == 3_500


@pytest.mark.parametrize(
    ("free", "build", "mark"),
    [
        (5_000_000_000, 0, Mark.RIGHT),
        (999_999_999, 0, Mark.WRONG),
        (1_000_000_000, 0, Mark.RIGHT),
        (5_000_000_000, 2_600_000_000, Mark.WRONG),
        (5_200_000_000, 2_600_000_000, Mark.RIGHT),
    ],
)
def test_a_night_needs_room(settings, monkeypatch, free, build, mark):
    settings.home.mkdir()
    with settings.build_db.open("wb") as handle:
        handle.truncate(build)  # a file with a hole: its size without its bytes
    monkeypatch.setattr(machine_steps.shutil, "disk_usage", lambda _: Usage(0, 0, free))
    step = disk_step(settings)
    assert step.mark is mark
    if mark is Mark.WRONG:
        assert "make room" in step.message


def test_a_home_that_cannot_be_written_to(settings, monkeypatch):
    settings.home.mkdir()
    monkeypatch.setattr(machine_steps.os, "access", lambda *_: False)
    step = disk_step(settings)
    assert step.mark is Mark.WRONG
    assert f"{settings.home} cannot be written to" in step.message


def test_a_home_that_is_a_file(settings):
    settings.home.write_text("")
    assert disk_step(settings).mark is Mark.WRONG


def test_nothing_was_published_yet(settings):
    step = schedule_step(settings, NOW)
    assert step.mark is Mark.NOT_CHECKED
    assert "run 'sluice nightly' once" in step.message
    assert "30 5 * * *" in step.message
    assert not settings.home.exists()


@pytest.mark.parametrize(
    ("hours", "mark", "words"),
    [
        (7, Mark.RIGHT, "last night published 2026-07-01 05:00 in UTC, days up to 2026-06-30"),
        (36, Mark.RIGHT, "2026-06-30"),
        (37, Mark.WRONG, "37 hours ago"),
        (24 * 5, Mark.WRONG, "5 days ago"),
    ],
)
@pytest.mark.parametrize("status", ["published", "partly_published"])
@pytest.mark.parametrize("command", ["nightly", "schedule"])
def test_a_night_must_be_recent(settings, command, status, hours, mark, words):
    publish(settings, (command, status, hours_ago(hours)))
    step = schedule_step(settings, NOW)
    assert step.mark is mark
    assert words in step.message
    assert step.facts["last_day"] == "2026-06-30"


def test_a_night_is_told_by_the_property_s_clock(settings):
    publish(settings, ("nightly", "published", hours_ago(7)))
    shop = Property(id="42", time_zone="America/Los_Angeles")
    there = settings.model_copy(update={"properties": (shop,)})
    assert "2026-06-30 22:00 in America/Los_Angeles" in schedule_step(there, NOW).message


def test_a_night_is_told_by_the_clock_that_ga4_told_of_the_property(settings):
    version = publish(settings, ("nightly", "published", hours_ago(7)))
    with duckdb.connect(str(version / "sluice.duckdb")) as connection:
        connection.execute(
            "insert into ops.properties (property_id, time_zone) values ('42', 'Asia/Tokyo')"
        )
    write_manifest(version)
    there = settings.model_copy(update={"properties": (Property(id="42"),)})
    assert "2026-07-01 14:00 in Asia/Tokyo" in schedule_step(there, NOW).message


def test_other_commands_are_no_night(settings):
    publish(settings, ("demo", "published", hours_ago(2)), ("backfill", "published", hours_ago(1)))
    step = schedule_step(settings, NOW)
    assert step.mark is Mark.WRONG
    assert "comes from other commands" in step.message


def test_a_backfill_after_the_night_hides_nothing(settings):
    publish(
        settings, ("nightly", "published", hours_ago(5)), ("backfill", "published", hours_ago(1))
    )
    assert "2026-07-01 07:00" in schedule_step(settings, NOW).message


def test_a_night_that_was_held_back_is_not_taken_for_one(settings):
    publish(
        settings, ("nightly", "published", hours_ago(50)), ("nightly", "held_back", hours_ago(2))
    )
    assert schedule_step(settings, NOW).mark is Mark.WRONG


def test_readers_of_an_older_version_do_not_stop_the_schedule(settings):
    older = publish(settings, ("nightly", "published", hours_ago(100)))
    publish(settings, ("nightly", "published", hours_ago(3)))
    point_current_at(settings.published_dir, older.name)
    assert schedule_step(settings, NOW).mark is Mark.RIGHT


def test_a_broken_version_is_named(settings):
    folder = publish(settings, ("nightly", "published", hours_ago(3)))
    (folder / "sluice.duckdb").write_bytes(b"no database" * 1_000)
    step = schedule_step(settings, NOW)
    assert step.mark is Mark.WRONG
    assert folder.name in step.message


def test_the_build_database_may_be_in_use(settings):
    publish(settings, ("nightly", "published", hours_ago(3)))
    with duckdb.connect(str(settings.build_db)) as connection:
        connection.execute("create table t as select 1")
        before = {path: path.stat().st_mtime_ns for path in settings.home.rglob("*")}
        assert disk_step(settings).mark is Mark.RIGHT
        assert schedule_step(settings, NOW).mark is Mark.RIGHT
        assert {path: path.stat().st_mtime_ns for path in settings.home.rglob("*")} == before


def test_a_build_database_that_is_not_there_yet(settings):
    assert database_step(settings).mark is Mark.NOT_CHECKED
    assert not settings.home.exists()


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "header": lambda path: path.write_bytes(b"no database" * 1_000),
    "cut": lambda path: path.write_bytes(path.read_bytes()[:5_000]),
    "folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_build_database_that_cannot_be_read(settings, damage):
    """An empty file is an empty database to DuckDB, in which the table of runs is missing."""
    with build_database(settings.build_db):
        pass
    assert database_step(settings).mark is Mark.RIGHT
    DAMAGES[damage](settings.build_db)
    step = database_step(settings)
    assert step.mark is Mark.WRONG
    assert "no night can run; docs/operations.md" in step.message
    assert "another process" not in step.message


def test_the_build_database_of_a_run_is_left_alone(settings):
    with hold_lock(lock_path(settings)):
        settings.build_db.write_bytes(b"")
        assert database_step(settings).message == "a run has it open"
