"""Nights one after another, and a full refresh, equal one build over all.

The same night twice is in tests/gates.
"""

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.nightly_run import run_nightly
from pipelines.warehouse.runs import FULL_REFRESH
from tests.e2e.shop import Shop, all_marts, night

COMPLETENESS = "fct_data_completeness"


@pytest.fixture(scope="module")
def home(published_home: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("rerun") / "home"
    shutil.copytree(published_home.home, folder, symlinks=True)
    return published_home.model_copy(update={"home": folder})


def test_a_full_refresh_mends_the_warehouse_of_an_older_version(shop: Shop, home: Settings) -> None:
    """Models that gained a column: a usual night refuses to mix, a full refresh builds anew."""
    before, raw = all_marts(home), raw_sessions(home)
    with duckdb.connect(str(home.build_db)) as build:
        build.execute("alter table intermediate.int_funnel__reach_daily drop column route")
    window = DayWindow(shop.window.end, shop.window.end)
    record, _ = night(home, window)
    assert record.status == "outdated"
    assert "run 'sluice nightly --full-refresh'" in record.message
    record = run_nightly(home, window, command=FULL_REFRESH)
    assert record.status == "published", record.message
    assert all_marts(home) == before
    assert raw_sessions(home) == raw


def raw_sessions(settings: Settings) -> list[tuple[Any, ...]]:
    """Rows as GA4 gave them, without when they were pulled."""
    with duckdb.connect(str(settings.build_db), read_only=True) as build:
        rows = build.execute(
            "select * exclude (pulled_at, pull_id) from raw.ga4_sessions_by_device order by all"
        ).fetchall()
    assert len(rows) > 40
    return rows


def test_nights_one_after_another_equal_one_night_over_all(
    shop: Shop, published_home: Settings, tmp_path: Path
) -> None:
    """Staging is incremental: two windows that overlap give what one full build gave."""
    settings = shop.settings(tmp_path / "home")
    end = shop.window.end
    for window in (
        DayWindow(shop.window.start, end - timedelta(days=2)),
        DayWindow(end - timedelta(days=3), end),
    ):
        record, _ = night(settings, window)
        assert record.status == "published", record.message
    ours, whole = all_marts(settings), all_marts(published_home)
    # Every night reads the field list, and the windows that end on its last day.
    assert days_of(ours.pop(COMPLETENESS)) == days_of(whole.pop(COMPLETENESS))
    assert ours == whole


def days_of(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows of reports by day: (property, date, report, window, ...)."""
    days = [row for row in rows if row[3] == "1d" and row[2] != "metadata"]
    assert len(days) > 40 * 20
    return days
