"""Which days a night works on: the newest complete ones, and what was missed before them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from dagster import DagsterRun

from pipelines.errors import ConfigError
from pipelines.ga4.client import Profile
from pipelines.partitions import FIRST_DAY, DayWindow, window_of_tags, yesterday
from pipelines.settings import Settings
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.runs import pulled_days


def with_time_zones(settings: Settings, profiles: Sequence[Profile]) -> Settings:
    """The settings with the zones that GA4 told for properties that name none."""
    zones = {profile.property_id: profile.time_zone for profile in profiles}
    properties = tuple(
        item.model_copy(update={"time_zone": item.time_zone or zones.get(item.id)})
        for item in settings.properties
    )
    return settings.model_copy(update={"properties": properties})


def with_remembered_time_zones(settings: Settings) -> Settings:
    """The same from what the last published version remembers; asks nobody."""
    if all(item.time_zone for item in settings.properties):
        return settings
    if not (settings.published_dir / "current").exists():
        return settings
    with published_database(settings.published_dir) as connection:
        zones = dict(
            connection.execute("select property_id, time_zone from ops.properties").fetchall()
        )
    return with_time_zones(
        settings, [Profile(name, zone, None, frozenset()) for name, zone in zones.items()]
    )


def newest_day(settings: Settings) -> date:
    """The newest day that is over for every property."""
    zones = {item.time_zone or "UTC" for item in settings.properties} or {"UTC"}
    return min(yesterday(ZoneInfo(zone)) for zone in zones)


def plan_window(settings: Settings, last_day: date | None = None) -> DayWindow:
    """The window of a night that ends on `last_day` (default: the newest complete day).

    Without gaps it is `last_day` and the `nightly.lookback_days` before it. After missed nights
    it starts at the first day whose settled value was never read, at most `nightly.sweep_days`
    back; a property's first night takes all of those.

    Raises ConfigError for a day that is not over, or older than GA4.
    """
    newest = newest_day(settings)
    end = last_day or newest
    if end > newest:
        raise ConfigError(
            f"{end} is not over yet in {settings.time_zone}: the newest complete day is {newest}, "
            f"use --date {newest} or an earlier one."
        )
    if end < FIRST_DAY:
        raise ConfigError(f"{end} is before GA4's first day: use a date from {FIRST_DAY} on.")
    oldest = end - timedelta(days=settings.nightly.sweep_days - 1)
    last = _last_loaded(settings)
    next_day = min(last + timedelta(days=1), end) if last else oldest
    start = next_day - timedelta(days=settings.nightly.lookback_days)
    return DayWindow(max(start, min(oldest, end), FIRST_DAY), end)


def worked_window(settings: Settings, run: DagsterRun) -> DayWindow | None:
    """The days that a run changes: its window, and what it pulled further back."""
    window = window_of_tags(run.tags)
    if window is None:
        return None
    days = pulled_days(settings.build_db, run.run_id)
    return window.joined(DayWindow(*days) if days else None)


def _last_loaded(settings: Settings) -> date | None:
    """The last day that was loaded for every configured property; None before the first."""
    if not settings.build_db.exists():
        return None
    with build_database(settings.build_db, read_only=True) as connection:
        known = dict(
            connection.execute(
                "select property_id, max(date) from ops.pulls where status = 'loaded' group by all"
            ).fetchall()
        )
    days = [known.get(item.id) for item in settings.properties]
    return min(day for day in days if day) if days and all(days) else None
