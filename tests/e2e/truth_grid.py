"""Many simulated shops in one night, each against its own truth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipelines.emulator.server import serve
from pipelines.emulator.simulator import simulate
from pipelines.partitions import DayWindow
from pipelines.settings import Ga4, Property, Settings, Store
from tests.e2e.shop import LAST_DAY, ZONE, night, published
from tests.e2e.truths import CLAIMS, differences


@dataclass(frozen=True)
class GridShop:
    """One property of the night."""

    property_id: str
    scenario: str
    seed: int
    events: Path

    def __str__(self) -> str:
        return f"{self.scenario}, seed {self.seed}"


def publish_grid(
    folder: Path, pairs: Iterable[tuple[str, int]], *, days: int, sessions: int
) -> tuple[Settings, list[GridShop]]:
    """Simulate a property per (scenario, seed), serve all of them, and publish one night."""
    window = DayWindow(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    shops = [
        GridShop(str(100000001 + place), scenario, seed, folder / f"events-{place}")
        for place, (scenario, seed) in enumerate(pairs)
    ]
    for shop in shops:
        simulate(
            shop.events, start=window.start, days=days, seed=shop.seed, scenario=shop.scenario,
            sessions_per_day=sessions, property_id=shop.property_id,
        )  # fmt: skip
    with serve([shop.events for shop in shops]) as server:
        settings = Settings(
            home=folder / "home",
            store=Store(name="Test shops"),
            ga4=Ga4(endpoint=server.endpoint),
            properties=tuple(
                Property(id=shop.property_id, name=str(shop), time_zone=ZONE) for shop in shops
            ),
        )
        record, _ = night(settings, window)
    assert record.status == "published", record.message
    return settings, shops


def failed_claims(settings: Settings, shops: Iterable[GridShop]) -> dict[str, object]:
    """`shop: claim` → rows on one side only; a claim about nothing fails as well."""
    found: dict[str, object] = {}
    with published(settings) as connection:
        for shop in shops:
            for name, claim in CLAIMS.items():
                count, rows = differences(connection, shop.events, claim, shop.property_id)
                if rows or not count:
                    found[f"{shop}: {name}"] = rows or "the truth has no row"
    return found
