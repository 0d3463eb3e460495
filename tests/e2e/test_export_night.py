"""A night over one shop by both routes, and over an export that is broken on its newest day.

Exact numbers are equal, whichever route counted them; of the broken export only it waits.
"""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.emulator.server import serve
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
    running_now,
    true_sessions,
)
from tests.support.routes import simulated

EXPORT, BROKEN, DAYS = "100000002", "100000003", 14
WINDOW = DayWindow(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The home after the night."""
    folder = tmp_path_factory.mktemp("routes")
    events = simulated(folder / "events", scenario="none", seed=6, days=DAYS, sessions=60)
    shutil.copytree(events, folder / BROKEN)
    _broken_file(folder).write_bytes(_broken_file(folder).read_bytes()[:-100])
    with serve([events], exact=True, now=running_now()) as emulator:
        settings = Settings(
            home=folder / "home",
            ga4=Ga4(endpoint=emulator.endpoint),
            properties=(
                Property(id=PROPERTY, time_zone=ZONE),
                Property(
                    id=EXPORT, source="export", path=str(events), time_zone=ZONE, currency="EUR",
                    same_shop_as=PROPERTY,
                ),
                Property(
                    id=BROKEN, source="export", path=str(folder / BROKEN), time_zone=ZONE,
                    currency="EUR",
                ),
            ),
        )  # fmt: skip
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
        found = connection.execute(
            "select distinct property_id from marts.fct_funnel_daily order by 1"
        )
        assert found.fetchall() == [(PROPERTY,), (EXPORT,)]
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


@pytest.mark.parametrize("property_id", [PROPERTY, EXPORT])
def test_the_published_sessions_are_those_of_the_simulator(
    settings: Settings, property_id: str
) -> None:
    expected = true_sessions(settings.home.parent / "events")
    assert published_sessions(settings, property_id) == expected
    assert len(expected) == DAYS


def test_every_ratio_of_exact_numbers_is_1(settings: Settings) -> None:
    with published(settings) as connection:
        rows = connection.execute(
            "select property_id, source_a, source_b, step_key, count(*), min(ratio), max(ratio), "
            "max(date), any_value(status), count(distinct status) from marts.fct_reconciliation "
            "group by all order by any_value(step_number)"
        ).fetchall()
    # All days but the three newest, which may still change; there are no weeks to compare with.
    told = (DAYS - 3, 1.0, 1.0, LAST_DAY - timedelta(days=3), "learning", 1)
    assert rows == [
        (PROPERTY, "data_api", "export", step, *told)
        for step in ("sessions", "product_view", "add_to_cart", "checkout_start", "purchase")
    ]


def test_one_route_names_the_other(settings: Settings) -> None:
    with published(settings) as connection:
        known = connection.execute(
            "select property_id, property_source, same_shop_as from marts.dim_property order by 1"
        ).fetchall()
    assert known[:2] == [(PROPERTY, "data_api", None), (EXPORT, "export", PROPERTY)]
