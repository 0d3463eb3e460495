"""Fixtures shared by end-to-end and gate tests; a plugin of tests/conftest.py."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pipelines.config.settings import Settings
from pipelines.monitoring.home_lock import exclusive
from tests.support.shared_folder import shared_folder

if TYPE_CHECKING:
    # Unit tests load this plugin too, and need none of what it imports.
    from tests.e2e.scenarios import ScenarioShops
    from tests.e2e.shop import Shop


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator["Shop"]:
    """40 days with about 150 sessions each: small, but with every kind of event."""
    from tests.e2e.shop import open_shop

    with open_shop(tmp_path_factory.mktemp("shop") / "events", days=40, sessions=150) as opened:
        yield opened


@pytest.fixture(scope="session")
def published_home(shop: "Shop", tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home with one published night over all 40 days, made once for all workers.

    Copy it before changing it.
    """
    from tests.e2e.shop import night

    session = shared_folder(tmp_path_factory)
    with exclusive(session / "published-home.lock"):
        settings = shop.settings(session / "published-home")
        if not settings.published_dir.exists():
            record, _ = night(settings, shop.window)
            assert record.status == "published", record.message
    return settings


@pytest.fixture(scope="session")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> "ScenarioShops":
    """One published night over all scenarios: each a property with a seed of its own."""
    from tests.e2e.scenarios import run_all

    return run_all(tmp_path_factory.mktemp("scenarios"))
