"""Fixtures of the reading commands: an empty home, and one with a small published version."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from pipelines.warehouse.connect import build_database
from pipelines.warehouse.runs import finish_run, start_run
from tests.support.hand_clock import MORNING
from tests.support.reading import publish_again


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; commands run in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "home"


@pytest.fixture(scope="session")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one version with one small mart: copy it before changing it."""
    home = tmp_path_factory.mktemp("published") / "home"
    with build_database(home / "build.duckdb") as build:
        build.execute("create schema marts")
        build.execute(
            "create table marts.fct as select * from (values "
            "('[b]cart', 0.123456::double, date '2026-03-01', 7), "
            "('it''s, \"100%\"', null, date '2026-03-02', 1200)) as t (step, rate, day, reached)"
        )
        build.execute(
            "create table marts.fct_data_completeness as select '42' as property_id, "
            "'provisional' as maturity, * from (values (date '2026-03-02', true, true), "
            "(date '2026-02-20', false, false)) as days (date, is_loaded, is_complete)"
        )
        start_run(build, "r1", "nightly", date(2026, 3, 1), date(2026, 3, 2), "0.1.0", MORNING)
    publish_again(home)
    finish_run(home / "build.duckdb", "r1", "published", "", MORNING)
    return home


@pytest.fixture
def published(home: Path, published_once: Path) -> Path:
    """One version with one small mart."""
    return Path(shutil.copytree(published_once, home, symlinks=True))
