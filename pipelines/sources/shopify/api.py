"""What is asked of Shopify's API for each raw table, and held against its own total."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from pipelines.config.timezones import known_time_zones
from pipelines.ga4.date_windows import days_between
from pipelines.ingest.day_window import DayWindow, yesterday
from pipelines.sources.contract import (
    Fetched,
    SourceAuditError,
    SourceError,
    SourceTable,
)
from pipelines.sources.shopify.answer_columns import as_count, as_day, as_money, parts
from pipelines.sources.shopify.client import Answered, ShopifyClient
from pipelines.sources.shopify.shopifyql import DAY, DEVICE, PAGE, Query
from pipelines.sources.shopify.tables import (
    ALL_DEVICES,
    API,
    EVERYONE,
    FUNNEL,
    HUMAN,
    SHOPIFY_CHECKOUTS,
    SHOPIFY_SALES,
    SHOPIFY_SESSIONS,
)

SHOP = "query{shop{ianaTimezone currencyCode}}"
SCOPES = "query{currentAppInstallation{accessScopes{handle}}}"
# Nothing that tells who it was: no name, address, note, or link to the checkout.
CHECKOUTS = (
    "query($q:String!,$after:String){abandonedCheckouts(first:250,after:$after,query:$q,"
    "sortKey:CREATED_AT){nodes{createdAt completedAt totalPriceSet{shopMoney{amount currencyCode}}}"
    " pageInfo{hasNextPage endCursor}}}"
)
# Of each of these days every checkout is listed again, as carts are won back late.
CHECKOUT_DAYS = 35
MOST_PAGES = 400
# How often parts may contradict their total before nothing is taken: a day may still be settling.
TRIES = 2
ONLINE_STORE = (("sales_channel", "Online Store"),)
HUMANS = (("human_or_bot_session", HUMAN),)
MONEY = ("net_sales", "total_sales")
_CURRENCY = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True)
class About:
    """What a shop says of itself."""

    time_zone: str
    currency: str


@dataclass
class ShopifyApi:
    """One shop's answers as raw tables."""

    client: ShopifyClient
    now: Callable[[], datetime]

    @cached_property
    def about(self) -> About:
        """Time zone and currency; raises SourceError."""
        told = parts(self.client.graphql(SHOP, {}, "its time zone").get("shop"))
        zone, currency = str(told.get("ianaTimezone")), str(told.get("currencyCode"))
        if zone not in known_time_zones():
            raise SourceError(
                f"Shopify's {self.client.shop} tells no time zone that this machine knows: its "
                "days cannot be placed; bring the machine's zones up to date.",
                is_general=True,
            )
        if not _CURRENCY.fullmatch(currency):
            raise SourceError(
                f"Shopify's {self.client.shop} tells no currency, so nobody knows what its amounts "
                "are: what was fetched before stays; the next night asks again.",
                is_general=True,
            )
        return About(zone, currency)

    def fetch(self, table: SourceTable, window: DayWindow) -> Fetched:
        """The rows of one table for the days of `window` that are over in the shop's zone."""
        before = self.client.requests
        days = self._closed(window)
        rows, days = {
            SHOPIFY_SESSIONS.name: self._sessions,
            SHOPIFY_SALES.name: self._sales,
            SHOPIFY_CHECKOUTS.name: self._checkouts,
        }[table.name](days)
        return Fetched(
            table,
            pa.Table.from_pylist(
                [{"shop": self.client.shop, **row} for row in rows], schema=table.schema
            ),
            (pa.table({"date": pa.array(days_between(days.start, days.end), pa.date32())}),),
            requests=self.client.requests - before,
            time_zone=self.about.time_zone,
            currency=self.about.currency,
        )

    def scopes(self) -> frozenset[str]:
        """What the token's app may read; raises SourceError."""
        told = self.client.graphql(SCOPES, {}, "its scopes").get("currentAppInstallation")
        listed = parts(told).get("accessScopes")
        handles = listed if isinstance(listed, list) else []
        return frozenset(str(parts(one).get("handle")) for one in handles)

    def _closed(self, window: DayWindow) -> DayWindow:
        newest = yesterday(ZoneInfo(self.about.time_zone), self.now())
        if newest < window.start:
            raise SourceError(
                f"{window.start} is not over yet for Shopify's {self.client.shop} "
                f"({self.about.time_zone}): the next night fetches it."
            )
        return DayWindow(window.start, min(window.end, newest))

    def _sessions(self, days: DayWindow) -> tuple[list[dict[str, Any]], DayWindow]:
        humans = Query("sessions", FUNNEL, days, only=HUMANS)
        total = self._total(humans)
        whole = self._parts(humans.split(DAY), total)
        by_device = self._parts(humans.split(DAY, DEVICE), total)
        everyone = Query("sessions", FUNNEL[:1], days)
        unfiltered = self._parts(everyone.split(DAY), self._total(everyone))
        rows = [
            *_rows(whole, device=ALL_DEVICES, bot_filter=HUMAN),
            *_rows(by_device, bot_filter=HUMAN),
            *_rows(unfiltered, device=ALL_DEVICES, bot_filter=EVERYONE),
        ]
        return [{**row, "is_complete": True, "origin": API} for row in rows], days

    def _sales(self, days: DayWindow) -> tuple[list[dict[str, Any]], DayWindow]:
        query = Query("sales", ("orders", *MONEY), days, only=ONLINE_STORE)
        daily = self._parts(query.split(DAY), self._total(query))
        return [{**row, "currency": self.about.currency} for row in _rows(daily)], days

    def _checkouts(self, days: DayWindow) -> tuple[list[dict[str, Any]], DayWindow]:
        """Counted by day as they are read; a night takes the newest weeks only."""
        days = replace(days, start=max(days.start, days.end - timedelta(days=CHECKOUT_DAYS - 1)))
        zone, counted = ZoneInfo(self.about.time_zone), dict[date, _Checkouts]()
        for day in days_between(days.start, days.end):
            counted[day] = _Checkouts()
        for node in self._checkout_pages(days, zone):
            day = _moment(node.get("createdAt")).astimezone(zone).date()
            if day not in counted:
                raise SourceAuditError(
                    f"Shopify's {self.client.shop} lists checkouts of {day}, which was not asked "
                    "for: what was fetched before stays."
                )
            counted[day].add(node, self.about.currency)
        rows = [
            {
                "date": day, "abandoned": one.abandoned, "recovered": one.recovered,
                "abandoned_value": one.value, "currency": self.about.currency,
            }
            for day, one in counted.items()
        ]  # fmt: skip
        return rows, days

    def _checkout_pages(self, days: DayWindow, zone: ZoneInfo) -> list[dict[str, Any]]:
        first = datetime.combine(days.start, time(), zone).astimezone(UTC)
        end = datetime.combine(days.end + timedelta(days=1), time(), zone).astimezone(UTC)
        asked = f"created_at:>='{first:%Y-%m-%dT%H:%M:%SZ}' created_at:<'{end:%Y-%m-%dT%H:%M:%SZ}'"
        found, after = list[dict[str, Any]](), None
        for _ in range(MOST_PAGES):
            what = "abandoned checkouts"
            answer = self.client.graphql(CHECKOUTS, {"q": asked, "after": after}, what)
            page = parts(answer.get("abandonedCheckouts"))
            nodes, info = page.get("nodes"), parts(page.get("pageInfo"))
            has_more, before, after = info.get("hasNextPage"), after, info.get("endCursor")
            # Of a page that does not say whether it is the last, the rest would be no checkouts.
            is_placed = has_more is False or (has_more is True and after not in (None, before))
            if (
                not isinstance(nodes, list)
                or not all(isinstance(node, dict) for node in nodes)
                or not is_placed
            ):
                raise SourceError(
                    f"Shopify's {self.client.shop} answers {what} without a whole list: what was "
                    "fetched before stays."
                )
            found += nodes
            if not has_more:
                return found
        raise SourceError(
            f"Shopify's {self.client.shop} lists more abandoned checkouts than {MOST_PAGES} pages "
            "hold: what was fetched before stays."
        )

    def _total(self, query: Query) -> tuple[Any, ...]:
        answer = self.client.shopifyql(str(query), query.columns, f"{query.table} as a whole")
        if len(answer.rows) != 1:
            raise SourceError(
                f"Shopify's {self.client.shop} answers {query.table} as a whole with "
                f"{len(answer.rows)} rows: what was fetched before stays."
            )
        return tuple(_typed(name, answer.column(name)[0]) for name in query.metrics)

    def _parts(self, query: Query, total: tuple[Any, ...]) -> list[dict[str, Any]]:
        """All pages of a split query as typed rows, which have to add up to the total.

        A row whose metrics are all missing is of no known day, and is no row.
        """
        difference = ""
        for _ in range(TRIES):
            rows = _known(query, self._pages(query))
            sums = tuple(sum(row[name] for row in rows) for name in query.metrics)
            wrong = next(
                (
                    f"{name} add up to {part:,} of {whole:,}"
                    for name, part, whole in zip(query.metrics, sums, total, strict=True)
                    if abs(part - whole) > (Decimal("0.005") * len(rows) if name in MONEY else 0)
                ),
                None,
            )
            if wrong is None:
                return rows
            difference = wrong
        raise SourceAuditError(
            f"The {query.table} of {self.client.shop} by {' and '.join(query.by)} are not "
            f"whole ({difference}): what was fetched before stays; run the same night again later."
        )

    def _pages(self, query: Query) -> list[Answered]:
        pages, what = list[Answered](), f"{query.table} by {' and '.join(query.by)}"
        for number in range(MOST_PAGES):
            page = self.client.shopifyql(str(query.page(number)), query.columns, what)
            pages.append(page)
            if len(page.rows) < PAGE:
                return pages
        raise SourceError(
            f"Shopify's {self.client.shop} has no end of rows for {what}: what was fetched before "
            "stays."
        )


@dataclass
class _Checkouts:
    """Those of one day."""

    abandoned: int = 0
    recovered: int = 0
    value: Decimal = Decimal(0)

    def add(self, node: dict[str, Any], currency: str) -> None:
        money = parts(parts(node.get("totalPriceSet")).get("shopMoney"))
        told = money.get("currencyCode")
        if told != currency:
            other = told if _CURRENCY.fullmatch(str(told)) else "no known currency"
            raise SourceAuditError(
                f"A checkout is in {other}, and the shop in {currency}: what was fetched before "
                "stays."
            )
        if "completedAt" not in node:
            raise SourceError(
                "Shopify does not tell whether a checkout was completed: what was fetched before "
                "stays."
            )
        self.abandoned += 1
        self.recovered += node["completedAt"] is not None
        self.value += as_money(money.get("amount"))


def _known(query: Query, pages: Sequence[Answered]) -> list[dict[str, Any]]:
    return [
        {name: _typed(name, value) for name, value in row.items() if name in query.columns}
        for page in pages
        for values in page.rows
        for row in (dict(zip(page.columns, values, strict=True)),)
        if any(row[name] is not None for name in query.metrics)
    ]


def _typed(name: str, value: Any) -> Any:
    if name == DAY:
        return as_day(value)
    if name == DEVICE:
        return "unknown" if value in (None, "") else str(value).casefold()
    return as_money(value) if name in MONEY else as_count(value)


def _rows(found: Sequence[dict[str, Any]], **constants: str) -> list[dict[str, Any]]:
    names = {DAY: "date", DEVICE: "device"}
    return [
        {**constants, **{names.get(name, name): value for name, value in row.items()}}
        for row in found
    ]


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SourceError("Shopify tells a checkout without a time: what was fetched before stays.")
    return moment
