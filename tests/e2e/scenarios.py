"""Every scenario as a property of one warehouse: one night shows what is found in each of them.

Their server is exact. One more shop, large enough for GA4's estimates, is served realistically.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Ga4, Property, Settings, Store
from pipelines.emulator.server import serve
from pipelines.emulator.shopify import serve_shopify
from pipelines.emulator.shopify.shop_counts import STEPS, read_counts
from pipelines.emulator.simulator import SCENARIOS, simulate
from pipelines.ingest.day_window import DayWindow
from tests.e2e.shop import (
    LAST_DAY,
    ZONE,
    at_now,
    night,
    published_rows,
    read_truth,
    running_now,
    with_shopify,
)
from tests.support.register import registered, remember_earlier

DAYS, SESSIONS = 28, 600
_BOTS = "human_or_bot_session"
WINDOW = DayWindow(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)
# Scenario -> its property; the seed is the property's last digit.
PROPERTIES = {name: f"10000001{number}" for number, name in enumerate(SCENARIOS, start=1)}
REALISTIC = "100000020"
# The shop of MIRRORED twice more, as nobody but Shopify knows it: by its API, and by a report.
SHOPIFY_ONLY, CSV_ONLY, MIRRORED = "100000030", "100000031", "mobile_payment_broken"
REGISTER = "register"


@dataclass(frozen=True)
class SimulatedShop:
    """What one property is made of; `days` end with the window's last."""

    scenario: str
    seed: int
    days: int = DAYS
    sessions_per_day: int = SESSIONS
    is_exact: bool = True


def large_shop(seed: int) -> SimulatedShop:
    """A realistic shop: a day has more sessions, and sessions with a product view, than the 3,000
    that are counted.
    """
    return SimulatedShop("none", seed, days=3, sessions_per_day=6500, is_exact=False)


@dataclass(frozen=True)
class ScenarioShops:
    """The published night, and the folder with each property's events and truth."""

    folder: Path
    settings: Settings

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of the published database."""
        return published_rows(self.settings, text)

    def truth(self, scenario: str, name: str) -> pa.Table:
        """A table of the scenario's truth.json."""
        return read_truth(self.folder / PROPERTIES[scenario], name)


def all_shops() -> dict[str, SimulatedShop]:
    """Every scenario with its seed, over all days of `WINDOW`, and a large realistic shop."""
    shops = {own: SimulatedShop(name, int(own[-1])) for name, own in PROPERTIES.items()}
    return {**shops, REALISTIC: large_shop(seed=7)}


def run_shops(folder: Path, shops: Mapping[str, SimulatedShop]) -> ScenarioShops:
    """Simulate a shop per property, serve them together, and publish one night."""
    for property_id, shop in shops.items():
        simulate(
            folder / property_id, start=LAST_DAY - timedelta(days=shop.days - 1), days=shop.days,
            seed=shop.seed, scenario=shop.scenario, sessions_per_day=shop.sessions_per_day,
            property_id=property_id,
        )  # fmt: skip
    folders = [folder / property_id for property_id in shops]
    realistic = [property_id for property_id, shop in shops.items() if not shop.is_exact]
    with (
        serve(folders, now=running_now(), exact=True) as emulator,
        serve_shopify(folder / PROPERTIES[MIRRORED]) as server,
    ):
        emulator.set_faults([{"when": {"property": realistic}, "do": {"realism": {}}}])
        found = found_shops(folder, shops, emulator.endpoint)
        settings = with_shopify(found.settings, server, SHOPIFY_ONLY)
        if settings.experiments:
            remember_earlier(settings, PROPERTIES["none"])
        record, _ = night(at_now(_with_shopify_alone(settings, folder)), WINDOW)
    assert record.status == "published", record.message
    return found


def _with_shopify_alone(settings: Settings, folder: Path) -> Settings:
    """With the properties that Shopify alone tells of, and the dropped report of one."""
    shops = tuple(
        Property(id=own, name=own, source="shopify", time_zone=ZONE, currency="EUR")
        for own in (SHOPIFY_ONLY, CSV_ONLY)
    )
    report = folder / "sessions.csv"
    counts = read_counts(folder / PROPERTIES[MIRRORED]).sessions
    days = sorted({row["day"] for row in counts})
    totals = {
        day: [
            sum(row[step] for row in counts if row["day"] == day and row[_BOTS] == "human")
            for step in STEPS
        ]
        for day in days
    }
    lines = [f"{day},{','.join(map(str, totals[day]))}" for day in days]
    report.write_text("\n".join(["Day," + ",".join(STEPS), *lines]), encoding="utf-8")
    drop = Shopify(shop="dropped.myshopify.com", property=CSV_ONLY, csv=report)
    return settings.model_copy(
        update={
            "properties": (*settings.properties, *shops),
            "shopify": (*settings.shopify, drop),
        }
    )


def found_shops(
    folder: Path, shops: Mapping[str, SimulatedShop], endpoint: str | None = None
) -> ScenarioShops:
    """What `run_shops` left in the folder, also when another process ran it."""
    settings = Settings(
        home=folder / "home",
        store=Store(name="Test shops"),
        **registered(folder / REGISTER),
        ga4=Ga4(endpoint=endpoint),
        properties=tuple(
            Property(id=property_id, name=shop.scenario, time_zone=ZONE)
            for property_id, shop in shops.items()
        ),
    )
    return ScenarioShops(folder, settings)
