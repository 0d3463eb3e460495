"""Fixtures shared by end-to-end and gate tests; a plugin of tests/conftest.py."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from pipelines.config.settings import Settings
from tests.support.shared_folder import made_once

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
def killed_home(shop: "Shop", tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A home whose first night, over all but the last day, was killed while it stored reports.

    Made once for all workers, each of which has a server of its own. dbt's parsed project, which
    the killed process wrote, goes with every copy.
    """
    from tests.e2e.dying_night import kill_night

    with made_once(tmp_path_factory, "killed") as (folder, is_new):
        settings = shop.settings(folder / "home")
        if is_new:
            kill_night(settings, shop.earlier)
    return settings


@pytest.fixture(scope="session")
def earlier_home(
    shop: "Shop", killed_home: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """The same after the next night, which is published: copy it before changing it.

    Shopify, which is beside GA4 from then on, refuses its token that night.
    """
    from pipelines.emulator.shopify import serve_shopify
    from tests.e2e.shop import copied, night, with_shopify

    with made_once(tmp_path_factory, "earlier") as (folder, is_new):
        if is_new:
            with serve_shopify(shop.events) as server:
                server.set_faults([{"do": {"status": 401, "body": "{}"}}])
                settings = with_shopify(copied(killed_home, folder), server)
                record, _ = night(settings, shop.earlier)
            assert record.status == "published", record.message
    return killed_home.model_copy(update={"home": folder / "home"})


@pytest.fixture(scope="session")
def published_home(
    shop: "Shop", earlier_home: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Settings:
    """The same after one more night, which pulls some days again and has all second sources."""
    from pipelines.emulator.clarity import serve_clarity
    from pipelines.emulator.shopify import serve_shopify
    from tests.e2e.shop import copied, night, with_pages, with_shopify

    with made_once(tmp_path_factory, "published") as (folder, is_new):
        if is_new:
            visits = serve_clarity(shop.events, now=lambda: shop.morning)
            with serve_shopify(shop.events) as server, visits as clarity:
                settings = with_shopify(copied(earlier_home, folder), server)
                record, _ = night(with_pages(settings, clarity, shop), shop.lookback)
            assert record.status == "published", record.message
    return earlier_home.model_copy(update={"home": folder / "home"})


@pytest.fixture(scope="session")
def scenarios(tmp_path_factory: pytest.TempPathFactory) -> "ScenarioShops":
    """One published night over all scenarios: each a property with a seed of its own, three of
    them with a register.

    It is made once for all workers.
    """
    from tests.e2e.scenarios import PROPERTIES, REGISTER, all_shops, found_shops, run_shops
    from tests.support.register import write_register

    with made_once(tmp_path_factory, "scenarios") as (folder, is_new):
        if is_new:
            write_register(
                folder / REGISTER,
                *(
                    PROPERTIES[name]
                    for name in ("none", "mobile_payment_broken", "payment_repaired")
                ),
            )
        return (run_shops if is_new else found_shops)(folder, all_shops())
