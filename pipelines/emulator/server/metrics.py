"""The metrics the emulator answers, as data.

A metric is its API name, how the API describes it, and its SQL over `hits` (or over items, which
have the same columns). How the numbers in that SQL are made (counted, estimated, rounded, scaled)
is in `making`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.making import EXACT, Making

# `item` fields live on items, `event` metrics on whole events: those two do not combine. Sessions
# and users go with both.
Scope = Literal["any", "event", "item"]

INTEGER = ga4.MetricType.TYPE_INTEGER
FLOAT = ga4.MetricType.TYPE_FLOAT
SECONDS = ga4.MetricType.TYPE_SECONDS
CURRENCY = ga4.MetricType.TYPE_CURRENCY

_FIRST_VISIT = "event_name IN ('first_visit', 'first_open')"
_KEY_EVENTS = "Purchases: the one key event every property has from the start."
_TOTAL_REVENUE = "Purchases only: the event store has no subscriptions and no ads."


@dataclass(frozen=True)
class Metric:
    """A metric: `sql` aggregates to BIGINT or DOUBLE, 0 and never NULL where there is nothing."""

    api_name: str
    ui_name: str
    category: str
    sql: str
    type: int = INTEGER
    scope: Scope = "event"
    description: str = ""


@cache
def metrics_by_name(made: Making = EXACT) -> Mapping[str, Metric]:
    """All metrics by API name, their numbers made this way."""
    kinds = (_of_sessions, _of_users, _of_events, _of_money, _of_items)
    return {one.api_name: one for kind in kinds for one in kind(made)}


def _of_sessions(made: Making) -> Iterator[Metric]:
    sessions, engaged, kind = made.sessions(), made.engaged_sessions(), "Session"
    share, rest = _ratio(engaged, sessions), _ratio(f"({sessions}) - ({engaged})", sessions)
    each = _ratio(sessions, made.users("is_active_user"))
    yield Metric("sessions", "Sessions", kind, sessions, scope="any")
    yield Metric("engagedSessions", "Engaged sessions", kind, engaged, scope="any")
    yield Metric("engagementRate", "Engagement rate", kind, share, FLOAT, "any")
    yield Metric("bounceRate", "Bounce rate", kind, rest, FLOAT, "any")
    yield Metric("sessionsPerUser", "Sessions per active user", kind, each, FLOAT, "any")


def _of_users(made: Making) -> Iterator[Metric]:
    active, new, kind = made.users("is_active_user"), made.users(_FIRST_VISIT), "User"
    yield Metric("totalUsers", "Total users", kind, made.users(), scope="any")
    yield Metric("activeUsers", "Active users", kind, active, scope="any")
    yield Metric("newUsers", "New users", kind, new, scope="any")
    yield Metric("userEngagementDuration", "User engagement", kind, made.seconds(), SECONDS)


def _of_events(made: Making) -> Iterator[Metric]:
    views, orders = _events(made, "page_view"), _events(made, "purchase")
    adds, checkouts = _events(made, "add_to_cart"), _events(made, "begin_checkout")
    each, kind, page = _ratio(views, made.sessions()), "Ecommerce", "Page / screen"
    yield Metric("eventCount", "Event count", "Event", made.rows())
    yield Metric("keyEvents", "Key events", "Event", orders, FLOAT, description=_KEY_EVENTS)
    yield Metric("screenPageViews", "Views", page, views)
    yield Metric("screenPageViewsPerSession", "Views per session", page, each, FLOAT)
    yield Metric("addToCarts", "Add to carts", kind, adds)
    yield Metric("checkouts", "Checkouts", kind, checkouts)
    yield Metric("ecommercePurchases", "Ecommerce purchases", kind, orders)
    yield Metric("transactions", "Transactions", kind, made.rows("is_first_purchase"))


def _of_money(made: Making) -> Iterator[Metric]:
    revenue, kind = made.money("revenue_micros"), "Revenue"
    each = _ratio(revenue, made.rows("is_first_purchase"))
    total = Metric("totalRevenue", "Total revenue", kind, revenue, CURRENCY)
    yield Metric("purchaseRevenue", "Purchase revenue", kind, revenue, CURRENCY)
    yield replace(total, description=_TOTAL_REVENUE)
    yield Metric("averagePurchaseRevenue", "Average purchase revenue", kind, each, CURRENCY)


def _of_items(made: Making) -> Iterator[Metric]:
    money = made.money("item_revenue_micros")
    for name, title, event in (
        ("itemsViewed", "Items viewed", "view_item"),
        ("itemsViewedInList", "Items viewed in list", "view_item_list"),
        ("itemsClickedInList", "Items clicked in list", "select_item"),
        ("itemsAddedToCart", "Items added to cart", "add_to_cart"),
        ("itemsCheckedOut", "Items checked out", "begin_checkout"),
    ):
        units = made.units(f"event_name = '{event}'")
        yield Metric(name, title, "Ecommerce", units, scope="item")
    bought = made.units("is_first_purchase")
    yield Metric("itemsPurchased", "Items purchased", "Ecommerce", bought, scope="item")
    yield Metric("itemRevenue", "Item revenue", "Ecommerce", money, CURRENCY, "item")


def _events(made: Making, name: str) -> str:
    return made.rows(f"event_name = '{name}'")


def _ratio(numerator: str, denominator: str) -> str:
    return f"coalesce(({numerator}) / nullif({denominator}, 0), 0.0)"
