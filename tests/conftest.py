"""Fixtures that every kind of test may want; small on purpose."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from pipelines.garbage import collect_rarely
from tests.support.hand_clock import HandClock
from tests.support.webhook_server import WebhookServer, webhook

if TYPE_CHECKING:
    from tests.support.night import Night

# As the command does.
collect_rarely()
# The terminal that the tests are started from has a width; what they read has that of a pipe.
os.environ.pop("COLUMNS", None)
# No wall-clock limits on a loaded machine, and no folder of examples in the repository.
hypothesis.settings.register_profile("sluice", deadline=None, database=None)
hypothesis.settings.load_profile("sluice")


@pytest.fixture(autouse=True)
def _no_settings_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A developer's own SLUICE_* variables must not reach a test."""
    for name in [name for name in os.environ if name.startswith("SLUICE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def clock() -> HandClock:
    """For a governor: waits take no time and are noted."""
    return HandClock()


@pytest.fixture
def night(tmp_path: Path) -> Iterator["Night"]:
    """A server and a home for a night's ingestion."""
    from tests.support.night import open_night

    with open_night(tmp_path) as opened:
        yield opened


@pytest.fixture
def kept_night(night: "Night") -> Iterator[None]:
    """Its build database stays open, as a run's does: for tests that only run nights."""
    from pipelines.warehouse.connect import kept_open

    with kept_open(night.settings.build_db):
        yield


@pytest.fixture
def alerted() -> Iterator[WebhookServer]:
    """The webhook that a home alerts."""
    with webhook() as server:
        yield server


# Whole nights first: what is left for the end must be small enough to share out evenly.
_ORDER = ("chaos", "soak", "gates", "e2e", "browser", "dbt", "unit")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which the workers take the files (with --no-loadscope-reorder)."""
    place = {name: order for order, name in enumerate(_ORDER)}
    tests = Path(__file__).parent

    def number(item: pytest.Item) -> int:
        return place.get(item.path.relative_to(tests).parts[0], len(_ORDER))

    items.sort(key=number)


pytest_plugins = ["tests.e2e.fixtures"]
