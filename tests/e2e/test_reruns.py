"""Nights one after another, one that was killed, and a full refresh, equal one build over all.

The same night twice is in tests/gates.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Nightly, Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.run_window import plan_window
from pipelines.orchestration.nightly_run import run_nightly
from pipelines.warehouse.runs import FULL_REFRESH
from tests.e2e.shop import LAST_DAY, Shop, all_marts, copied, night

COMPLETENESS = "fct_data_completeness"
# A real night that dies like under `kill -9`, right before it stores its n-th report.
DYING_NIGHT = """
import os, sys
from datetime import date
from pathlib import Path
import pipelines.ingest.ingest_run as ingest
from pipelines.orchestration.nightly_run import run_nightly
from pipelines.ingest.day_window import DayWindow
from pipelines.config.settings import Ga4, Property, Settings, Store
endpoint, home, start, end, reports = sys.argv[1:]
real, left = ingest.replace_partitions, [int(reports)]
def dying(*args, **options):
    if not left[0]:
        os._exit(137)
    left[0] -= 1
    return real(*args, **options)
ingest.replace_partitions = dying
settings = Settings(
    home=Path(home), store=Store(name="Test shop"), ga4=Ga4(endpoint=endpoint),
    properties=(Property(id="100000001", name="Test shop", time_zone="Europe/Berlin"),),
)
run_nightly(settings, DayWindow(date.fromisoformat(start), date.fromisoformat(end)), command="test")
"""


@pytest.fixture(scope="module")
def refreshed(shop: Shop, published_home: Settings, tmp_path_factory) -> Settings:
    """A full refresh of a home whose warehouse an older version made: a column is not there yet."""
    home = copied(published_home, tmp_path_factory.mktemp("refreshed"))
    with duckdb.connect(str(home.build_db)) as build:
        build.execute("alter table intermediate.int_funnel__reach_daily drop column route")
    window = DayWindow(shop.window.end, shop.window.end)
    record, _ = night(home, window)
    assert record.status == "outdated"
    assert "run 'sluice nightly --full-refresh'" in record.message
    record = run_nightly(home, window, command=FULL_REFRESH)
    assert record.status == "published", record.message
    return home


def test_a_full_refresh_mends_the_warehouse_of_an_older_version(
    published_home: Settings, refreshed: Settings
) -> None:
    """Models that gained a column: a usual night refuses to mix, a full refresh builds anew."""
    assert raw_sessions(refreshed) == raw_sessions(published_home)
    with duckdb.connect(str(refreshed.build_db), read_only=True) as build:
        assert build.execute(
            "select count(route) > 0 from intermediate.int_funnel__reach_daily"
        ).fetchall() == [(True,)]


def raw_sessions(settings: Settings) -> list[tuple[Any, ...]]:
    """Rows as GA4 gave them, without when they were pulled."""
    with duckdb.connect(str(settings.build_db), read_only=True) as build:
        rows = build.execute(
            "select * exclude (pulled_at, pull_id) from raw.ga4_sessions_by_device order by all"
        ).fetchall()
    assert len(rows) > 40
    return rows


def test_nights_one_after_another_equal_one_night_over_all(
    published_home: Settings, refreshed: Settings
) -> None:
    """Staging is incremental: two windows that overlap give what one full build gives."""
    assert all_marts(published_home) == all_marts(refreshed)


def test_a_killed_night_is_made_good_by_the_next(
    shop: Shop, published_home: Settings, tmp_path: Path
) -> None:
    """The first night of a home, over all days: what two nights pulled is what one does."""
    days = (shop.window.end - shop.window.start).days + 1
    settings = shop.settings(tmp_path / "home").model_copy(
        update={"nightly": Nightly(sweep_days=days)}
    )
    arguments = [shop.endpoint, settings.home, shop.window.start, shop.window.end, 9]
    killed = subprocess.run(
        [sys.executable, "-c", DYING_NIGHT, *map(str, arguments)], capture_output=True, check=False
    )
    assert killed.returncode == 137, killed.stderr
    assert not settings.published_dir.exists()
    window = plan_window(settings, shop.window.end)
    assert window == shop.window
    record, _ = night(settings, window)
    assert record.status == "published", record.message
    ours, twice = all_marts(settings), all_marts(published_home)
    assert days_of(ours.pop(COMPLETENESS)) == days_of(twice.pop(COMPLETENESS))
    assert ours == twice


def days_of(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of reports by day, and all of the last day: (property, date, report, window, …).

    Every night reads the field list, and the windows that end on its last day.
    """
    days = [row for row in rows if (row[3] == "1d" and row[2] != "metadata") or row[1] == LAST_DAY]
    assert len(days) > 40 * 20
    return days
