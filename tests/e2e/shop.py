"""A simulated shop behind the emulator, and a home to run nights in. Used by e2e and gate tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from pydantic import SecretStr

from pipelines.clock import Clock, PinnedClock, pin_clock, pinned_clock
from pipelines.config.second_sources import Clarity, Heatmaps, Shopify
from pipelines.config.settings import Alerts, Ga4, Property, Settings, Store
from pipelines.emulator.clarity import ClarityEmulator
from pipelines.emulator.heatmaps import write_heatmaps
from pipelines.emulator.server import serve
from pipelines.emulator.shopify import ShopifyEmulator
from pipelines.emulator.simulator import simulate
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.dbt_cli import SluiceDbt
from pipelines.orchestration.nightly_run import Step, run_nightly
from pipelines.orchestration.resources import build_dbt
from pipelines.publishing.versions import file_facts
from pipelines.warehouse.runs import RunRecord

PROPERTY = "100000001"
ZONE = "Europe/Berlin"
LAST_DAY = date(2026, 6, 30)
# When it is in every home here, and for the servers: every day is final, whenever the tests run.
NOW = datetime(2026, 7, 31, 10, tzinfo=UTC)


def at_now(settings: Settings) -> Settings:
    """The same settings; in their home it is NOW, for the properties that they have now.

    A home that lives in a time of its own goes on in it.
    """
    if pinned_clock(settings.home) is None:
        pin_clock(settings.home, NOW, [item.id for item in settings.properties])
    return settings


def running_now() -> Callable[[], datetime]:
    """A server's clock that goes on from NOW."""
    return PinnedClock(NOW, Clock().now()).now


@dataclass(frozen=True)
class Shop:
    """A running emulator over simulated events."""

    events: Path
    window: DayWindow
    endpoint: str

    def settings(self, home: Path) -> Settings:
        """Settings that point at this shop, validated as the user's are."""
        return at_now(
            Settings(
                home=home,
                store=Store(name="Test shop"),
                ga4=Ga4(endpoint=self.endpoint),
                properties=(Property(id=PROPERTY, name="Test shop", time_zone=ZONE),),
            )
        )

    @property
    def earlier(self) -> DayWindow:
        """All days but the last."""
        return DayWindow(self.window.start, self.window.end - timedelta(days=1))

    @property
    def lookback(self) -> DayWindow:
        """What the night after the last day pulls."""
        return DayWindow(self.window.end - timedelta(days=3), self.window.end)

    @property
    def morning(self) -> datetime:
        """That after the last day."""
        return datetime.combine(self.window.end + timedelta(days=1), time(3, 30), UTC)

    def truth(self, name: str) -> pa.Table:
        """A table of truth.json: `sessions`, `events`, `keys` or `items`."""
        return read_truth(self.events, name)


@lru_cache(maxsize=2)
def truth_of(events: Path) -> dict[str, Any]:
    """The truth.json beside simulated events, which takes a tenth of a second to read."""
    found: dict[str, Any] = json.loads((events / "truth.json").read_text(encoding="utf-8"))
    return found


def read_truth(events: Path, name: str) -> pa.Table:
    """A table of it."""
    stored = truth_of(events)[name]
    columns = list(zip(*stored["rows"], strict=True))
    return pa.table(dict(zip(stored["columns"], map(list, columns), strict=True)))


def copied(settings: Settings, folder: Path, webhook: str | None = None) -> Settings:
    """A copy of a home in the folder, links kept, which alerts the webhook."""
    shutil.copytree(settings.home, folder / "home", symlinks=True)
    return settings.model_copy(
        update={"home": folder / "home", "alerts": Alerts.model_validate({"webhook": webhook})}
    )


def with_shopify(
    settings: Settings, server: ShopifyEmulator, property_id: str = PROPERTY
) -> Settings:
    """The same settings with the shop as Shopify counts it."""
    entry = Shopify(
        shop=server.shop,
        property=property_id,
        token=SecretStr(server.token),
        endpoint=server.endpoint,
    )
    return settings.model_copy(update={"shopify": (entry,)})


def with_pages(settings: Settings, server: ClarityEmulator, shop: Shop) -> Settings:
    """The same settings with Clarity, and with heatmap downloads beside the home."""
    path, columns = write_heatmaps(shop.events, settings.home.parent / "heatmaps")
    clarity = Clarity(property=PROPERTY, token=SecretStr(server.token), endpoint=server.endpoint)
    heatmaps = Heatmaps(property=PROPERTY, path=path, columns=columns)
    return settings.model_copy(update={"clarity": (clarity,), "heatmaps": (heatmaps,)})


def own_environment() -> dict[str, str]:
    """For a command in a process of its own: no settings of this process, and not the database of
    a night in it, for which dbt would parse anew.
    """
    return {key: value for key, value in os.environ.items() if "SLUICE_" not in key}


@contextmanager
def open_shop(
    folder: Path, *, days: int, sessions: int, scenario: str = "none", seed: int = 7
) -> Iterator[Shop]:
    """Simulate and serve."""
    window = DayWindow(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    simulate(
        folder,
        start=window.start,
        days=days,
        seed=seed,
        scenario=scenario,
        sessions_per_day=sessions,
        property_id=PROPERTY,
    )
    with serve([folder], now=running_now()) as server:
        yield Shop(folder, window, server.endpoint)


def other_dbt(settings: Settings, kind: type[SluiceDbt], **fields: Any) -> SluiceDbt:
    """What `build_dbt` makes, as another class with fields of its own."""
    return kind(**build_dbt(settings).model_dump(), **fields)


def night(
    settings: Settings, window: DayWindow, resources: Mapping[str, Any] | None = None
) -> tuple[RunRecord, list[Step]]:
    """Run the nightly job with every check on; the record and the steps that ran."""
    steps: list[Step] = []
    record = run_nightly(
        settings, window, command="test", on_step=steps.append, resources=resources
    )
    return record, steps


@contextmanager
def published(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """What readers see."""
    path = settings.published_dir / "current" / "sluice.duckdb"
    with duckdb.connect(str(path), read_only=True) as connection:
        yield connection


def published_rows(settings: Settings, query: str, parameters: object = None) -> list[Any]:
    """Rows of one query, as readers see them."""
    with published(settings) as connection:
        return connection.execute(query, parameters).fetchall()


def published_sessions(settings: Settings, property_id: str = PROPERTY) -> dict[str, int]:
    """Day → sessions of the whole property, as readers see them."""
    found = published_rows(
        settings,
        "select date::varchar, reached from marts.fct_funnel_daily where funnel = 'core' "
        "and step_key = 'sessions' and segment_name = 'all' and property_id = ?",
        [property_id],
    )
    return dict(found)


def true_sessions(events: Path) -> dict[str, int]:
    """The same as the simulator knows it."""
    rows = read_truth(events, "sessions").to_pylist()
    return {row["date"]: row["sessions"] for row in rows if row["segment_name"] == "all"}


def published_files(settings: Settings) -> dict[str, Any]:
    """Name → size and checksum of every file that readers see: equal ones hold equal marts."""
    current = settings.published_dir / "current"
    files = [path for path in current.rglob("*") if path.is_file()]
    return {str(path.relative_to(current)): file_facts(path) for path in files}


# Marts of which a home without second sources has nothing, and what it has of those that it shares.
OF_SECOND_SOURCES = (
    "fct_heatmap_click", "fct_page_friction", "fct_shopify_funnel_daily", "fct_shopify_sales_daily",
)  # fmt: skip
_OF_GA4 = {
    "dim_column": f"table_name not in {OF_SECOND_SOURCES}",
    "dim_metric": f"table_name not in {OF_SECOND_SOURCES}",
    "fct_anomaly": "segment_name <> 'source' or segment_value not like '%shopify%'",
    "fct_reconciliation": "source_a <> 'shopify'",
    "fct_scroll_depth": "tool = 'ga4'",
}


def ga4_marts(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """As `all_marts`, without what second sources bring: of two homes of which one has them."""
    found = all_marts(settings, _OF_GA4)
    return {name: rows for name, rows in found.items() if name not in OF_SECOND_SOURCES}


def all_marts(
    settings: Settings, conditions: Mapping[str, str] | None = None
) -> dict[str, list[tuple[Any, ...]]]:
    """Every mart, sorted: equal dictionaries are equal marts. `conditions`: of a mart's rows."""
    chosen = conditions or {}
    with published(settings) as connection:
        names = connection.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by all"
        ).fetchall()
        return {
            name: connection.execute(
                f"select * from marts.{name} where {chosen.get(name, 'true')} order by all"
            ).fetchall()
            for (name,) in names
        }
