"""Which days a night works on: the newest complete ones, and what was missed before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from pipelines.config.settings import Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.errors import ConfigError, WarehouseError
from pipelines.ga4.client import Profile
from pipelines.ga4.report_catalog import build_reports
from pipelines.ingest.day_window import FIRST_DAY, DayWindow, yesterday
from pipelines.sources.shopify.route import TOLD_BY_SHOPIFY
from pipelines.warehouse.connect import build_database, published_database
from pipelines.warehouse.first_days import first_loaded_days


def with_time_zones(settings: Settings, profiles: Sequence[Profile]) -> Settings:
    """The settings with the zones that GA4 told for properties that name none.

    Of one that told none, or did not answer, the zone is as it was last published.
    """
    zones = {profile.property_id: profile.time_zone for profile in profiles}
    return with_remembered_time_zones(_with_zones(settings, zones))


def _with_zones(settings: Settings, zones: Mapping[str, str | None]) -> Settings:
    properties = tuple(
        item.model_copy(update={"time_zone": item.time_zone or zones.get(item.id)})
        for item in settings.properties
    )
    return settings.model_copy(update={"properties": properties})


def with_remembered_time_zones(settings: Settings) -> Settings:
    """The settings with the zones that the last published version remembers; asks nobody."""
    if all(item.time_zone for item in settings.properties):
        return settings
    if not (settings.published_dir / "current").exists():
        return settings
    with published_database(settings.published_dir) as connection:
        zones = dict(
            connection.execute("select property_id, time_zone from ops.properties").fetchall()
        )
    return _with_zones(settings, zones)


def remembered_zone(settings: Settings) -> ZoneInfo:
    """The zone that moments are told in, `Settings.time_zone` with those zones; UTC while they are
    remembered in what cannot be read.
    """
    with suppress(WarehouseError, duckdb.Error):
        settings = with_remembered_time_zones(settings)
    return settings.time_zone


def newest_day(settings: Settings, now: datetime | None = None) -> date:
    """The newest day that is over for every property, at `now` (default: by the home's clock)."""
    return min(_newest_days(settings, now).values())


def plan_window(
    settings: Settings, last_day: date | None = None, now: datetime | None = None
) -> DayWindow:
    """The window of a night that ends on `last_day` (default: the newest complete day).

    Without gaps it is `last_day` and the `nightly.lookback_days` before it. After missed,
    killed or failed nights it starts so much before the first day that a report lacks, at most
    `nightly.sweep_days` back; a property's first night takes all of those.

    Raises ConfigError for a day that is not over, or older than GA4.
    """
    newest = _newest_days(settings, now)
    end = last_day or min(newest.values())
    for name, day in newest.items():
        if end > day:
            raise ConfigError(
                f"{end} is not over yet for {name}: the newest complete day is {day}, "
                f"use --date {day} or an earlier one."
            )
    if end < FIRST_DAY:
        raise ConfigError(f"{end} is before GA4's first day: use a date from {FIRST_DAY} on.")
    oldest = max(settings.nightly.oldest_day(end), FIRST_DAY)
    missing = _first_missing_day(settings, DayWindow(oldest, end))
    start = missing - timedelta(days=settings.nightly.lookback_days)
    return DayWindow(max(start, min(oldest, end), FIRST_DAY), end)


def _newest_days(settings: Settings, now: datetime | None) -> dict[str, date]:
    """Property with its zone, for people → its newest complete day."""
    moment = now or settings.clock.now()
    zones = {
        f"property {item.id} in {item.time_zone or 'UTC'}": item.time_zone or "UTC"
        for item in settings.properties
    }
    return {
        name: yesterday(ZoneInfo(zone), moment) for name, zone in (zones or {"UTC": "UTC"}).items()
    }


def _first_missing_day(settings: Settings, span: DayWindow) -> date:
    """The first day of `span` that some report by day still lacks; its end if none.

    A required report must be loaded; an optional one must have been asked for; both the last time
    as they are defined now, so that a tracking plan that was changed, or changed back, pulls its
    keys again. Days before a property's first stored one do not count, unless it has none at all.
    """
    if not settings.build_db.exists():
        return span.start
    with build_database(settings.build_db, read_only=True) as connection:
        rows = connection.execute(
            """
            with pulls as (select *, (pulled_at, pull_id) as age from ops.pulls)
            select
                property_id, report, date,
                arg_max(report_version, age) filter (where status = 'loaded'),
                arg_max(report_version, age)
            from pulls where date between ? and ? group by all
            """,
            [span.start, span.end],
        ).fetchall()
        first = first_loaded_days(connection)
    loaded = {(*day, version) for *day, version, _ in rows}
    asked = {(*day, version) for *day, _, version in rows}
    wanted = [
        (item.id, spec.name, spec.version, loaded if spec.is_required else asked)
        for item in settings.properties
        for spec in build_reports(load_plan(shop=settings.tracking_plan))
        # Shopify alone tells of the whole shop; whether it tells devices, its own days say.
        if spec.kind.is_daily and (not item.is_shopify or spec.name in TOLD_BY_SHOPIFY)
    ]
    for offset in range((span.end - span.start).days):
        day = span.start + timedelta(days=offset)
        for name, report, version, there in wanted:
            if day >= first.get(name, span.start) and (name, report, day, version) not in there:
                return day
    return span.end
