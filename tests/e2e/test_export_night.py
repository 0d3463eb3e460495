"""A whole night over two exports, one of them broken on its newest day: the other is published."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.config.settings import Property, Settings, Store
from pipelines.ingest.day_window import DayWindow
from pipelines.warehouse.connect import build_database
from tests.e2e.shop import (
    LAST_DAY,
    PROPERTY,
    ZONE,
    at_now,
    night,
    published,
    published_sessions,
    true_sessions,
)
from tests.support.routes import simulated

BROKEN, DAYS = "100000002", 14
WINDOW = DayWindow(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home after the night."""
    folder = tmp_path_factory.mktemp("exports")
    for seed, property_id in enumerate((PROPERTY, BROKEN), start=1):
        simulated(folder / property_id, scenario="none", seed=seed, days=DAYS, sessions=60)
    _broken_file(folder).write_bytes(_broken_file(folder).read_bytes()[:-100])
    settings = Settings(
        home=folder / "home",
        store=Store(name="Test shops"),
        properties=tuple(
            Property(
                id=one, source="export", path=str(folder / one), time_zone=ZONE, currency="EUR"
            )
            for one in (PROPERTY, BROKEN)
        ),
    )
    record, _ = night(at_now(settings), WINDOW)
    assert record.status == "partly_published", record.message
    return settings


def _broken_file(folder: Path) -> Path:
    return folder / BROKEN / f"events_{LAST_DAY:%Y%m%d}.parquet"


def test_only_the_broken_property_is_held_back_and_its_file_is_named(settings: Settings) -> None:
    current = settings.published_dir / "current"
    manifest = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["held_back"] == [BROKEN]
    with published(settings) as connection:
        found = connection.execute("select distinct property_id from marts.fct_funnel_daily")
        assert found.fetchall() == [(PROPERTY,)]
    with build_database(settings.build_db, read_only=True) as connection:
        ((reason,),) = connection.execute(
            "select reason from ops.held_back where property_id = ?", [BROKEN]
        ).fetchall()
    assert reason == (
        f"Property {BROKEN} waits for {LAST_DAY}: The export file "
        f"{_broken_file(settings.home.parent)} cannot be read (No magic bytes found at end of "
        "file): write it anew from BigQuery, or correct its permissions."
    )


def test_the_days_of_the_broken_property_that_could_be_read_are_landed(settings: Settings) -> None:
    landed = sorted(path.name for path in (settings.landed_dir / BROKEN).iterdir())
    assert len(landed) == DAYS - 1
    assert landed[-1] == f"{LAST_DAY - timedelta(days=1)}"


def test_the_published_sessions_are_those_of_the_simulator(settings: Settings) -> None:
    expected = true_sessions(settings.home.parent / PROPERTY)
    assert published_sessions(settings) == expected
    assert len(expected) == DAYS
