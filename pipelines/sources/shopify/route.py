"""A shop that is read from Shopify alone: GA4's reports of it, as far as Shopify counts them.

From the raw table on, nothing asks where a number comes from. Shopify tells sessions by day and
device, so there are reports of the whole and by device, the steps of the core funnel that it
knows, and no others; a step's events are its sessions, as it tells of none.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from pipelines.clock import Clock
from pipelines.config.settings import Property
from pipelines.config.thresholds import day_of
from pipelines.config.tracking_plan import TrackingPlan
from pipelines.errors import SluiceError
from pipelines.ga4.client import Profile
from pipelines.ga4.date_windows import days_between
from pipelines.ga4.decode.report_answer import Flags
from pipelines.ga4.extract.pull import Pull, as_pull
from pipelines.ga4.report_query import Answer, Found, no_rows
from pipelines.ga4.report_spec import DATE, ReportSpec
from pipelines.sources.shopify.tables import ALL_DEVICES, FUNNEL
from pipelines.warehouse.newest_fetches import NEWEST_FETCHES

ROUTE = "shopify"
# Column of the raw table → key of the tracking plan.
KEYS = dict(zip(FUNNEL, ("sessions", "add_to_cart", "checkout_start", "purchase"), strict=True))
WHOLE, BY_DEVICE = "all", "device"
# The reports by day that there always are.
TOLD_BY_SHOPIFY = frozenset({"sessions_by_all", "events_by_all"})
# What stands in a dimension of which Shopify's reports are not split.
NOT_TOLD = "(not told)"


class ShopifyRouteError(SluiceError):
    """Nothing can be counted of the property tonight."""


class OtherShopError(ShopifyRouteError):
    """The settings say another time zone or currency than the shop."""


class NewestDayMissingError(ShopifyRouteError):
    """Shopify has not told the last day of the run: another night may have it."""

    exit_code = 75


class OtherSessionsError(ShopifyRouteError):
    """Days on which a session is not what it is on the newest ones (September 2026)."""


@dataclass(frozen=True)
class ShopifyRoute:
    """One property; only days on which a session is what it is on the newest one.

    `days`: date → device → counts in the order of FUNNEL; `sales`: date → orders and their worth
    in the property's currency (None: they are in another one); `events`: key → the event that it is
    of, None where it is composite.
    """

    settings: Property
    days: Mapping[date, Mapping[str, Sequence[int]]]
    sales: Mapping[date, tuple[int, float | None]]
    events: Mapping[str, str | None]

    @classmethod
    def open(
        cls,
        connection: duckdb.DuckDBPyConnection,
        settings: Property,
        plan: TrackingPlan,
        end: date,
    ) -> ShopifyRoute:
        """What the raw tables have of a property whose `source` is `shopify`, complete days only.

        Raises NewestDayMissingError where the day `end` is not among them, with what its fetch met,
        OtherSessionsError where it is counted otherwise than the newest one, and OtherShopError.
        """
        _refuse_other_shop(connection, settings)
        told: dict[date, dict[str, Sequence[int]]] = {}
        for day, device, *counts in connection.execute(
            f"select date, device, {', '.join(FUNNEL)} from raw.shopify_sessions "
            "where property_id = ? and bot_filter <> 'none' and is_complete",
            [settings.id],
        ).fetchall():
            told.setdefault(day, {})[device] = counts
        newest = max(told, default=end)
        if end in told and not are_counted_alike(end, newest):
            raise OtherSessionsError(
                f"Shopify counted the sessions of property {settings.id} otherwise on {end} than "
                f"on {newest}, and nothing is compared across: choose days after "
                f"{day_of('shopify_sessions_change_last')}."
            )
        days = {day: cells for day, cells in told.items() if are_counted_alike(day, newest)}
        if end not in days:
            raise NewestDayMissingError(_why_not(connection, settings.id, end))
        sales = {
            day: (orders, worth)
            for day, orders, worth in connection.execute(
                "select date, orders, if(currency = ?, total_sales, null)::double "
                "from raw.shopify_sales where property_id = ?",
                [settings.currency, settings.id],
            ).fetchall()
        }
        micros = {micro.key: micro for micro in plan.micro_conversions}
        events = {
            key: None if micros[key].is_composite else micros[key].event_names[0]
            for key in KEYS.values()
            if key in micros
        }
        return cls(settings, days, sales, events)

    @property
    def has_devices(self) -> bool:
        """Whether any day is told by device; dropped reports need not be."""
        return any(len(devices) > 1 for devices in self.days.values())

    def profile(self) -> Profile:
        """Time zone and currency are those of the settings."""
        own = self.settings
        return Profile(own.id, own.time_zone, own.currency, frozenset(), is_asked=False)

    def knows(self, spec: ReportSpec) -> bool:
        """Whether Shopify counts what the report is about."""
        family, _, segment = spec.name.partition("_by_")
        if spec.name == "cells":
            return self.has_devices
        return family in {"sessions", "events", "micro"} and (
            segment == WHOLE or (segment == BY_DEVICE and self.has_devices)
        )

    def absent_days(self, start: date, end: date) -> dict[date, str]:
        """Days from `start` to `end`, since the first that is told, of which nothing is; why."""
        first = max(start, min(self.days))
        return {
            day: "Shopify has not told that day." for day in days_between(first, end)
            if day not in self.days
        }  # fmt: skip

    def pull(self, spec: ReportSpec, start: date, end: date, *, clock: Clock) -> Pull:
        """The report of the days from `start` to `end` that Shopify has told."""
        days = [day for day in days_between(start, end) if day in self.days]
        rows = [row for day in days for row in self._rows(spec, day)]
        own = self.settings
        told = hashlib.sha256(repr(rows).encode()).hexdigest()[:16]
        table = pa.Table.from_pylist(rows, schema=no_rows(spec).schema)
        flags = Flags(currency=own.currency or "", time_zone=own.time_zone or "")
        found = Found(
            table,
            pa.table({DATE: pa.array(days, pa.date32())}),
            (Answer(table, flags, 0, request_hash=told),),
        )
        return as_pull(found, own.id, spec, start, end, clock, ROUTE)

    def _rows(self, spec: ReportSpec, day: date) -> Iterator[dict[str, Any]]:
        """Those of one day; as of GA4 there is no row of nobody."""
        family, _, segment = spec.name.partition("_by_")
        for device, counts in self.days[day].items():
            if (device == ALL_DEVICES) != (segment == WHOLE):
                continue
            split = {} if segment == WHOLE else {"device_category": device}
            if family == "sessions":
                if counts[0]:
                    yield {DATE: day, **split, **self._session_metrics(day, device, counts)}
                continue
            for key, count in zip(KEYS.values(), counts, strict=True):
                for name in self._names(family, key):
                    if count:
                        yield {DATE: day, **split, **name, "event_count": count, "sessions": count}

    def _session_metrics(self, day: date, device: str, counts: Sequence[int]) -> dict[str, Any]:
        orders, worth = (None, None) if device != ALL_DEVICES else self.sales.get(day, (None, None))
        return {"sessions": counts[0], "transactions": orders, "purchase_revenue": worth}

    def _names(self, family: str, key: str) -> Iterable[dict[str, str]]:
        """What a row of the family calls the key; nothing where it has none of it."""
        if family == "cells":
            parts = {"session_default_channel_group": NOT_TOLD, "new_vs_returning": NOT_TOLD}
            return [{"micro_key": key, **parts}]
        if key not in self.events:
            return []
        event = self.events[key]
        if family == "micro":
            return [{"micro_key": key}] if event is None else []
        return [{"event_name": event}] if event is not None else []


def are_counted_alike(day: date, other: date) -> bool:
    """Whether Shopify's sessions of both days end alike: neither trend nor window goes across.

    The macro `shopify_session_definition` says the same in SQL; a shop is on its own way in the
    days between.
    """
    first, last = (day_of(f"shopify_sessions_change_{end}") for end in ("first", "last"))
    return (day < first and other < first) or (day > last and other > last) or day == other


def _refuse_other_shop(connection: duckdb.DuckDBPyConnection, settings: Property) -> None:
    """Money and days are named as the settings say, so these have to be the shop's."""
    told = connection.execute(
        "select max_by(account, fetched_at), max_by(time_zone, fetched_at), "
        "max_by(currency, fetched_at) from ops.fetches "
        "where property_id = ? and table_name = 'shopify_sales' and status = 'loaded'",
        [settings.id],
    ).fetchone()
    shop, zone, currency = told or (None, None, None)
    for name, own, other in (
        ("time_zone", settings.time_zone, zone),
        ("currency", settings.currency, currency),
    ):
        if other is not None and other != own:
            raise OtherShopError(
                f"The {name.replace('_', ' ')} of {shop} is {other}, and that of property "
                f"{settings.id} {own}: write '{name}: {other}' in its entry in sluice.yml."
            )


def _why_not(connection: duckdb.DuckDBPyConnection, property_id: str, end: date) -> str:
    asked = [property_id]
    (newest,) = connection.execute(
        "select max(date) from raw.shopify_sessions where property_id = ? and is_complete", asked
    ).fetchone() or (None,)
    (problem,) = connection.execute(
        f"select problem from {NEWEST_FETCHES} "
        "where property_id = ? and table_name = 'shopify_sessions'",
        asked,
    ).fetchone() or (None,)
    known = f"its newest complete day is {newest}" if newest else "none of its days is known"
    reason = f": {problem}" if problem else "; run the same command again when it has."
    return f"Shopify has not told {end} of property {property_id} yet ({known}){reason}"
