"""Nights one after another, one that was killed, and a full refresh, equal one build over all.

The same night twice is in tests/gates.
"""

from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Nightly, Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.run_window import plan_window
from pipelines.orchestration.nightly_run import run_nightly
from pipelines.warehouse.runs import FULL_REFRESH
from tests.e2e.shop import Shop, all_marts, copied, night, published_rows


@pytest.fixture(scope="module")
def refreshed(shop: Shop, published_home: Settings, tmp_path_factory) -> Settings:
    """A full refresh of a home whose warehouse an older version made: a column is not there yet.

    The night that says so pulls all days at once; the refresh pulls one and builds from the rest.
    """
    home = copied(published_home, tmp_path_factory.mktemp("refreshed"))
    with duckdb.connect(str(home.build_db)) as build:
        build.execute("alter table intermediate.int_funnel__reach_daily drop column route")
    record, _ = night(home, shop.window)
    assert record.status == "outdated"
    assert "run 'sluice nightly --full-refresh'" in record.message
    newest = DayWindow(shop.window.end, shop.window.end)
    record = run_nightly(home, newest, command=FULL_REFRESH)
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
    """Staging is incremental: windows that overlap, the first of which was begun twice, give what
    one pull of all days and a full build give.
    """
    assert all_marts(published_home) == all_marts(refreshed)


def test_a_killed_night_is_made_good_by_the_next(
    shop: Shop, killed_home: Settings, published_home: Settings
) -> None:
    """The first night of `published_home`: its marts are compared above, and nothing that was
    pulled twice passes for a change of GA4's.
    """
    with duckdb.connect(str(killed_home.build_db), read_only=True) as build:
        ((stored,),) = build.execute(
            "select count(distinct report) from ops.pulls where status = 'loaded'"
        ).fetchall()
    assert stored > 5
    assert not killed_home.published_dir.exists()
    days = (shop.earlier.end - shop.earlier.start).days + 1
    whole = killed_home.model_copy(update={"nightly": Nightly(sweep_days=days)})
    assert plan_window(whole, shop.earlier.end) == shop.earlier
    told = published_rows(
        published_home,
        "select count(*) > 1000, max(restatement_count) from marts.fct_data_completeness",
    )
    assert told == [(True, 0)]
