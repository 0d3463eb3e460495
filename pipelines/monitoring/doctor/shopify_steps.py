"""Shopify of a property: does it answer, with what a night needs, and of the same days."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.config.second_sources import Shopify
from pipelines.config.settings import Property, Settings
from pipelines.ingest.day_window import DayWindow, yesterday
from pipelines.monitoring.doctor.step_model import Step, right, wrong
from pipelines.sources.contract import as_source_error, audit
from pipelines.sources.shopify.source import ApiSource, CsvSource, shopify_source
from pipelines.sources.shopify.tables import ALL_DEVICES, HUMAN, SHOPIFY_SESSIONS
from pipelines.wording import counted

SHOPIFY = "shopify"
NEEDED, WANTED = "read_reports", "read_orders"
# A report that somebody has to drop is not waited for before so many days.
PATIENT_DAYS = 7


def shopify_steps(
    settings: Settings, item: Property, zone: str | None, now: datetime
) -> tuple[Step, ...]:
    """`zone`: of the property's days, None where nobody told it."""
    return tuple(
        _shopify_step(settings, entry, item, zone, now)
        for entry in settings.shopify
        if entry.property == item.id
    )


def _shopify_step(
    settings: Settings, entry: Shopify, item: Property, zone: str | None, now: datetime
) -> Step:
    source = shopify_source(entry, settings)
    try:
        if isinstance(source, CsvSource):
            return _drop_step(source, now)
        return _api_step(source, item, zone, now)
    except Exception as error:
        return wrong(SHOPIFY, str(as_source_error(error, f"What {entry.shop} tells")))


def _api_step(source: ApiSource, item: Property, zone: str | None, now: datetime) -> Step:
    """One day's sessions prove access to the report, its columns and the protected data."""
    api = source.api
    scopes, about = api.scopes(), api.about
    facts = {"time_zone": about.time_zone, "currency": about.currency, "scopes": sorted(scopes)}
    if NEEDED not in scopes:
        return wrong(
            SHOPIFY,
            f"The app of the token for {source.account} lacks the scope {NEEDED}: add it, install "
            "the app again (docs/shopify.md).",
            facts=facts,
        )
    day = yesterday(ZoneInfo(about.time_zone), now)
    fetched = audit(api.fetch(SHOPIFY_SESSIONS, DayWindow(day, day)))
    details = (
        ()
        if WANTED in scopes
        else (f"without the scope {WANTED} abandoned checkouts are not counted",)
    )
    if item.is_shopify and (item.time_zone, item.currency) != (about.time_zone, about.currency):
        return wrong(
            SHOPIFY,
            f"{source.account} lives in {about.time_zone} and sells in {about.currency}: write "
            f"'time_zone: {about.time_zone}, currency: {about.currency}' in the entry of property "
            f"{item.id} in sluice.yml.",
            details,
            facts,
        )
    if zone is not None and zone != about.time_zone:
        return wrong(
            SHOPIFY,
            f"The days of {source.account} are those of {about.time_zone}, the property's those of "
            f"{zone}, so their ratio moves with the evenings: set GA4's time zone to the shop's.",
            details,
            facts,
        )
    told = fetched.rows.to_pylist()
    whole = sum(
        row["sessions"]
        for row in told
        if (row["device"], row["bot_filter"]) == (ALL_DEVICES, HUMAN)
    )
    said = f"{source.account} answers, {counted(whole, 'session')} on {day}"
    return right(SHOPIFY, said, details, facts)


def _drop_step(source: CsvSource, now: datetime) -> Step:
    days = source.days()
    first, newest = min(days), max(days)
    said = f"reports of {source.account} have {counted(len(days), 'day')}, {first} to {newest}"
    facts = {"first_day": str(first), "newest_day": str(newest)}
    behind = (yesterday(ZoneInfo(source.zone), now) - newest).days
    if behind > PATIENT_DAYS:
        return wrong(
            SHOPIFY,
            f"The {said}: the newest is {counted(behind, 'day')} behind; export the report again.",
            facts=facts,
        )
    return right(SHOPIFY, said, facts=facts)
