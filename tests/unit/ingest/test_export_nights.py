"""Nights over exports: which days are pulled again, and that a broken property is alone with it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from pipelines.clock import pin_clock
from pipelines.config.settings import Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.export.flat import FlatColumns
from pipelines.export.landing import Landing
from pipelines.ga4.report_catalog import ReportKind, build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Outcome, Run, ingest
from pipelines.warehouse.connect import build_database, kept_open
from tests.unit.export.writing import DAY, event, order, write

pytestmark = pytest.mark.slow

REPORTS = build_reports(load_plan())
DAYS = [DAY + timedelta(days=number) for number in range(6)]
BOOT = {"item_id": "boot", "item_name": "Boot", "price": 5.0, "quantity": 1}


def path_of(home: Path, property_id: str, day: date) -> Path:
    return home / property_id / f"events_{day:%Y%m%d}.ndjson"


def put(home: Path, property_id: str, day: date, views: int = 1) -> None:
    rows = [event("view_item", day=day, at=at, more={"items": [BOOT]}) for at in range(views)]
    start = event("session_start", day=day, at=-1, page_location="https://s.example/")
    write(path_of(home, property_id, day), [start, *rows, order(f"{day}", 5.0, day=day, at=99)])


def settings_in(folder: Path) -> Settings:
    return Settings(
        home=folder / "home",
        properties=tuple(
            Property(
                id=one, source="export", path=str(folder / one), time_zone="UTC", currency="EUR"
            )
            for one in ("1", "2")
        ),
    )


@pytest.fixture(scope="module")
def first_night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two properties of six days, of which the first four have been pulled."""
    folder = tmp_path_factory.mktemp("exports")
    for property_id in ("1", "2"):
        for day in DAYS:
            put(folder, property_id, day)
    settings = settings_in(folder)
    # Long after the last day, as no day is pulled again here for its age alone.
    pin_clock(settings.home, datetime(2026, 6, 1, 12, tzinfo=UTC), ["1", "2"])
    night(settings, DAYS[0], DAYS[3])
    shutil.copytree(folder, folder.with_suffix(".first"))
    return folder


@pytest.fixture
def home(first_night: Path) -> Iterator[Settings]:
    """It in its place, as landed files are known by their path; its database stays open."""
    shutil.rmtree(first_night)
    shutil.copytree(first_night.with_suffix(".first"), first_night)
    settings = settings_in(first_night)
    with kept_open(settings.build_db):
        yield settings


def night(settings: Settings, start: date, end: date, run_id: str = "a night") -> Outcome:
    return ingest(settings, None, REPORTS, DayWindow(start, end), Run(run_id, "test"))


def query(settings: Settings, sql: str, *values: str) -> list[tuple[Any, ...]]:
    with build_database(settings.build_db, read_only=True) as connection:
        return connection.execute(sql, values).fetchall()


def views(settings: Settings, property_id: str) -> list[int]:
    """Events called view_item, by day."""
    counted = "select event_count from raw.ga4_events_by_all where property_id = ?"
    found = query(settings, f"{counted} and event_name = 'view_item' order by date", property_id)
    return [count for (count,) in found]


def pulled(settings: Settings, run: str) -> dict[str, set[date]]:
    """Report of property 1 → the days of it that a run loaded."""
    loaded = "status = 'loaded' and window_name is null"
    found = query(
        settings,
        "select report, list(distinct date) from ops.pulls where run_id = ? "
        f"and property_id = '1' and {loaded} group by report",
        run,
    )
    return {report: set(days) for report, days in found}


def uncounted(settings: Settings, property_id: str) -> list[date]:
    specs = [spec for spec in REPORTS if spec.kind is not ReportKind.METADATA]
    return Landing(settings.landed_dir / property_id, FlatColumns.of(specs)).uncounted()


def daily() -> set[str]:
    return {spec.name for spec in REPORTS if spec.kind.is_daily}


def test_an_older_day_whose_file_changed_is_pulled_again_until_all_reports_are_stored(
    home: Settings,
) -> None:
    assert uncounted(home, "1") == []
    put(home.home.parent, "1", DAYS[0], views=3)
    some = tuple(spec for spec in REPORTS if spec.name == "events_by_all")
    ingest(home, None, some, DayWindow(DAYS[3], DAYS[4]), Run("some", "test"))
    assert DAYS[0] in uncounted(home, "1")
    night(home, DAYS[3], DAYS[4], "next")
    assert views(home, "1") == [3, 1, 1, 1, 1]
    assert views(home, "2") == [1, 1, 1, 1, 1]
    loaded = pulled(home, "next")
    assert {name for name, days in loaded.items() if DAYS[0] in days} >= daily()
    # Channels are asked for 14 days anyway; of what nothing else asks for, only that day.
    assert loaded["events_by_all"] == {DAYS[0], DAYS[3], DAYS[4]}
    assert uncounted(home, "1") == []
    # And not once more.
    night(home, DAYS[3], DAYS[4], "the one after")
    assert pulled(home, "the one after")["events_by_all"] == {DAYS[3], DAYS[4]}


def test_a_day_of_which_an_optional_report_failed_is_pulled_again(
    home: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home.home.parent, "1", DAYS[0], views=3)
    # What is landed of items is damaged between landing and counting.
    land = Landing.land

    def damaged(self: Landing, day: date, files: Sequence[object]) -> object:
        made = land(self, day, files)  # type: ignore[arg-type]
        if day == DAYS[0]:
            self.path(day, "items.parquet").write_bytes(b"PAR1")
        return made

    monkeypatch.setattr(Landing, "land", damaged)
    outcome = night(home, DAYS[3], DAYS[4])
    assert "items" in outcome.problems
    assert outcome.failures == {}
    assert DAYS[0] in uncounted(home, "1")
    # Landed again, as the sentence says.
    monkeypatch.undo()
    shutil.rmtree(home.landed_dir / "1")
    night(home, DAYS[4], DAYS[5])
    assert uncounted(home, "1") == []
    assert views(home, "1") == [3, 1, 1, 1, 1, 1]


def test_a_broken_property_is_alone_with_it(home: Settings) -> None:
    path = path_of(home.home.parent, "1", DAYS[4])
    path.write_text("<html>Log in</html>\n")
    outcome = night(home, DAYS[3], DAYS[4])
    assert {one: str(error) for one, error in outcome.failures.items()} == {
        "1": f"Property 1 waits for {DAYS[4]}: The export file {path} cannot be read (Malformed "
        "JSON: unexpected character): write it anew from BigQuery, or correct its permissions."
    }
    assert views(home, "1") == [1, 1, 1, 1]
    assert views(home, "2") == [1, 1, 1, 1, 1]
