"""A published shop of its own, and a Superset that has imported the dashboard of docs/bi."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.settings import Settings
from pipelines.reference_docs.superset import bundle
from tests.bi.server import PROGRAM, Superset, superset

# Where `make demo` leaves a shop.
DATA = PROJECT_DIR / "data"


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A copy of ./data where there is one, else a demo: no chart of it is empty."""
    copy = tmp_path_factory.mktemp("bi") / "home"
    if (DATA / "published" / "current").exists():
        shutil.copytree(DATA / "published", copy / "published", symlinks=True)
        shutil.copy(DATA / "build.duckdb", copy)
    else:
        sluice = Path(sys.executable).parent / "sluice"
        subprocess.run([sluice, "demo", "--home", str(copy)], check=True)
    return Settings(home=copy)


@pytest.fixture(scope="session")
def bi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Superset]:
    """Superset itself; a missing environment is an error, not a skip."""
    assert PROGRAM.exists(), "run 'make bi-test', which makes .venv-bi"
    with superset(tmp_path_factory.mktemp("superset")) as running:
        yield running


@pytest.fixture(scope="session")
def dashboard(home: Settings, bi: Superset, tmp_path_factory: pytest.TempPathFactory) -> Superset:
    """Superset with the dashboard of docs/bi, as a user imports it."""
    zipped = bundle(home.published_dir, tmp_path_factory.mktemp("export") / "dashboard.zip")
    answer = bi.upload("dashboard/import/", zipped, passwords="{}", overwrite="true")
    assert answer == {"message": "OK"}
    return bi
