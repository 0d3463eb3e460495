"""Every scenario as a property of one warehouse: one night shows what is found in each of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipelines.emulator.server import serve
from pipelines.emulator.simulator import SCENARIOS, simulate
from pipelines.partitions import DayWindow
from pipelines.settings import Ga4, Property, Settings, Store
from tests.e2e.shop import (
    LAST_DAY,
    ZONE,
    at_now,
    night,
    published,
    read_truth,
    running_now,
)

DAYS, SESSIONS = 28, 600
WINDOW = DayWindow(LAST_DAY - timedelta(days=DAYS - 1), LAST_DAY)
# Scenario -> its property; the seed is the property's last digit.
PROPERTIES = {name: f"10000001{number}" for number, name in enumerate(SCENARIOS, start=1)}


@dataclass(frozen=True)
class ScenarioShops:
    """The published night, and the folder with each property's events and truth."""

    folder: Path
    settings: Settings

    def query(self, text: str) -> list[tuple[Any, ...]]:
        """Rows of the published database."""
        with published(self.settings) as connection:
            return connection.execute(text).fetchall()

    def truth(self, scenario: str, name: str) -> pa.Table:
        """A table of the scenario's truth.json."""
        return read_truth(self.folder / PROPERTIES[scenario], name)


def run_all(folder: Path) -> ScenarioShops:
    """Every scenario with its seed, over all days of `WINDOW`."""
    return run_shops(folder, {own: (name, int(own[-1])) for name, own in PROPERTIES.items()})


def run_shops(folder: Path, shops: Mapping[str, tuple[str, int]]) -> ScenarioShops:
    """Simulate a scenario and seed per property, serve them together, and publish one night."""
    for property_id, (scenario, seed) in shops.items():
        simulate(
            folder / property_id, start=WINDOW.start, days=DAYS, seed=seed,
            scenario=scenario, sessions_per_day=SESSIONS, property_id=property_id,
        )  # fmt: skip
    with serve([folder / property_id for property_id in shops], now=running_now()) as emulator:
        settings = Settings(
            home=folder / "home",
            store=Store(name="Test shops"),
            ga4=Ga4(endpoint=emulator.endpoint),
            properties=tuple(
                Property(id=property_id, name=scenario, time_zone=ZONE)
                for property_id, (scenario, _) in shops.items()
            ),
        )
        record, _ = night(at_now(settings), WINDOW)
    assert record.status == "published", record.message
    return ScenarioShops(folder, settings)
