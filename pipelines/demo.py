"""The demo: simulate a shop and run the nightly job over all of it, by either route.

The emulator serves it as GA4's Data API would; or its files are read as the event export they are.
Beside it stands what Shopify would count of the same shop.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from pathlib import Path
from shutil import rmtree
from zoneinfo import ZoneInfo

from pydantic import SecretStr

from pipelines.clock import Clock, pin_clock
from pipelines.config.second_sources import Clarity, Heatmaps, Shopify
from pipelines.config.settings import Ga4, Property, Settings, Store
from pipelines.demo_register import DemoRegister, demo_register
from pipelines.emulator.clarity import serve_clarity
from pipelines.emulator.heatmaps import write_heatmaps
from pipelines.emulator.server import serve
from pipelines.emulator.shopify import serve_shopify
from pipelines.emulator.simulator import PROPERTY_ID, simulate
from pipelines.errors import ConfigError
from pipelines.ingest.day_window import FIRST_DAY, DayWindow, yesterday
from pipelines.monitoring.home_lock import hold_lock, lock_path
from pipelines.orchestration.nightly_run import Step, run_nightly
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.runs import RunRecord

TIME_ZONE = "Europe/Berlin"
CURRENCY = "EUR"
SCENARIO = "mobile_payment_broken"
# The demo's calendar is the same on any day: it ends with a whole month, and its home believes
# that it is the morning after.
LAST_DAY = date(2026, 6, 30)
MORNING = time(5, 30)


class Route(StrEnum):
    """How the shop's numbers are read."""

    DATA_API = "data_api"
    EXPORT = "export"


@dataclass(frozen=True)
class Demo:
    """What the user asked for."""

    home: Path
    days: int
    seed: int
    scenario: str
    sessions_per_day: int
    last_day: date = LAST_DAY
    route: Route = Route.DATA_API


def run_demo(
    demo: Demo,
    *,
    on_day: Callable[[int, int], None],
    on_step: Callable[[Step], None],
) -> RunRecord:
    """Simulate, serve, run; the published versions of an earlier demo stay.

    From then on the home lives in the demo's days: it is the morning after the last one.

    Raises ConfigError when the home holds a real property: the demo starts its build database
    afresh and would put the simulated shop in front of the readers.
    """
    settings = _settings(demo)
    window = _window(demo)
    with hold_lock(lock_path(settings)):
        _refuse_real_home(settings)
        morning = datetime.combine(window.end + timedelta(days=1), MORNING, ZoneInfo(TIME_ZONE))
        pin_clock(demo.home, morning, [PROPERTY_ID])
    register = _register(demo, window)
    settings = settings.model_copy(update=register.write(_events(demo).parent))
    simulate(
        _events(demo),
        start=window.start,
        days=demo.days,
        seed=demo.seed,
        scenario=demo.scenario,
        leaks=register.leaks,
        experiments=register.experiments,
        sessions_per_day=demo.sessions_per_day,
        property_id=PROPERTY_ID,
        progress=on_day,
    )
    _start_afresh(settings)
    # Clocks of servers stand: what they tell must not depend on how fast this machine is.
    with ExitStack() as servers:
        told = _second_sources(demo, servers, lambda: morning)
        settings = settings.model_copy(update=told)
        if demo.route is Route.DATA_API:
            server = servers.enter_context(serve([_events(demo)], now=lambda: morning))
            settings = settings.model_copy(update={"ga4": Ga4(endpoint=server.endpoint)})
        return run_nightly(settings, window, command="demo", on_step=on_step)


def _window(demo: Demo) -> DayWindow:
    """The demo's days. Raises ConfigError for days that are not over, or older than GA4."""
    zone = ZoneInfo(TIME_ZONE)
    newest = max(yesterday(zone, Clock().now()), LAST_DAY)
    if demo.last_day > newest:
        raise ConfigError(f"{demo.last_day} is not over yet in {TIME_ZONE}: use --end {newest}.")
    most = (demo.last_day - FIRST_DAY).days + 1
    if demo.days > most:
        raise ConfigError(
            f"The demo's first day would be before GA4's, {FIRST_DAY}: use a later --end"
            + (f", or --days {most} at most." if most > 0 else ".")
        )
    return DayWindow(demo.last_day - timedelta(days=demo.days - 1), demo.last_day)


def _register(demo: Demo, window: DayWindow) -> DemoRegister:
    """Other scenarios have what their description says, and nothing else."""
    if demo.scenario != SCENARIO:
        return DemoRegister()
    is_counted = demo.route is Route.EXPORT
    return demo_register(window, None if is_counted else Path(_events(demo).name))


def _events(demo: Demo) -> Path:
    return demo.home / "demo" / "events"


def _settings(demo: Demo) -> Settings:
    shop = Property(id=PROPERTY_ID, name="Demo shop", time_zone=TIME_ZONE)
    if demo.route is Route.EXPORT:
        shop = shop.model_copy(
            update={"source": "export", "path": str(_events(demo)), "currency": CURRENCY}
        )
    return Settings.model_construct(
        home=demo.home, store=Store(name="Demo shop"), properties=(shop,)
    )


def _second_sources(
    demo: Demo, servers: ExitStack, now: Callable[[], datetime]
) -> dict[str, object]:
    """The same shop as Shopify, Clarity and a heatmap tool count it: their sections of settings."""
    events, folder = _events(demo), demo.home / "demo" / "heatmaps"
    rmtree(folder, ignore_errors=True)
    path, columns = write_heatmaps(events, folder)
    shop = servers.enter_context(serve_shopify(events))
    visits = servers.enter_context(serve_clarity(events, now=now))
    return {
        "shopify": (
            Shopify(
                shop=shop.shop,
                property=PROPERTY_ID,
                token=SecretStr(shop.token),
                endpoint=shop.endpoint,
            ),
        ),
        "clarity": (
            Clarity(property=PROPERTY_ID, token=SecretStr(visits.token), endpoint=visits.endpoint),
        ),
        "heatmaps": (Heatmaps(property=PROPERTY_ID, path=path, columns=columns),),
    }


def _refuse_real_home(settings: Settings) -> None:
    if not settings.build_db.exists():
        return
    with build_database(settings.build_db, read_only=True) as connection:
        others = connection.execute(
            "select property_id from ops.properties where property_id <> ?", [PROPERTY_ID]
        ).fetchall()
    if others:
        raise ConfigError(
            f"{settings.home} holds the data of property {others[0][0]}: give the demo a home of "
            "its own, e.g. sluice demo --home ./demo-data."
        )


def _start_afresh(settings: Settings) -> None:
    """Another seed or scenario is another shop: its days must not mix with the last one's."""
    with hold_lock(lock_path(settings)):
        for name in ("build.duckdb", "build.duckdb.wal"):
            (settings.home / name).unlink(missing_ok=True)
        rmtree(settings.landed_dir, ignore_errors=True)
