"""The dimensions and metrics the emulator answers, as data.

A field is its API name, how the API describes it, and its SQL over `hits` (or `item_hits`, which
has the same columns, at the grain of items). A new field is a new entry; nothing else names
fields. How a request is put together from them is in `query`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.properties import Property, custom_column

# `item` fields live on items, `event` metrics on whole events: those two do not combine. Sessions
# and users go with both.
Scope = Literal["any", "event", "item"]

INTEGER = ga4.MetricType.TYPE_INTEGER
FLOAT = ga4.MetricType.TYPE_FLOAT
SECONDS = ga4.MetricType.TYPE_SECONDS
CURRENCY = ga4.MetricType.TYPE_CURRENCY


@dataclass(frozen=True)
class Dimension:
    """A dimension: `sql` is text and never NULL."""

    api_name: str
    ui_name: str
    category: str
    sql: str
    scope: Scope = "any"
    description: str = ""
    is_custom: bool = False


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


@dataclass(frozen=True)
class Catalogue:
    """The fields of one property by API name."""

    dimensions: Mapping[str, Dimension]
    metrics: Mapping[str, Metric]


def catalogue(about: Property | None = None) -> Catalogue:
    """The standard fields, and the custom dimensions registered in a property."""
    names = about.custom_dimensions if about else ()
    custom = (
        Dimension(
            f"customEvent:{name}",
            name,
            "Custom",
            custom_column(index),
            description="An event-scoped custom dimension of this property.",
            is_custom=True,
        )
        for index, name in enumerate(names)
    )
    return Catalogue(_by_name((*DIMENSIONS, *custom)), {one.api_name: one for one in METRICS})


def _by_name(dimensions: Iterable[Dimension]) -> dict[str, Dimension]:
    return {one.api_name: one for one in dimensions}


def _date_part(api_name: str, ui_name: str, form: str, description: str) -> Dimension:
    sql = f"strftime(event_date, '{form}')"
    return Dimension(api_name, ui_name, "Time", sql, description=description)


# Weeks begin on Sunday and 1 January is always in week 01.
_WEEK = (
    "printf('%02d', (dayofyear(event_date) - 1 "
    "+ dayofweek(make_date(year(event_date), 1, 1))) // 7 + 1)"
)

DIMENSIONS = (
    Dimension("date", "Date", "Time", "date_text", description="The event's date, YYYYMMDD."),
    Dimension(
        "dateHour",
        "Date and hour (YYYYMMDDHH)",
        "Time",
        "date_text || local_hour",
        description="Date and hour in the property's time zone.",
    ),
    Dimension("hour", "Hour", "Time", "local_hour", description="Two-digit hour, 00 to 23."),
    Dimension("week", "Week", "Time", _WEEK, description="Week of the year, from Sunday, 01-53."),
    Dimension(
        "dayOfWeek",
        "Day of week",
        "Time",
        "CAST(dayofweek(event_date) AS VARCHAR)",
        description="0 is Sunday.",
    ),
    _date_part("isoWeek", "ISO week of the year", "%V", "From Monday, 01-53."),
    _date_part("isoYear", "ISO year", "%G", "The year of the ISO week."),
    _date_part("isoYearIsoWeek", "ISO week of ISO year", "%G%V", "ISO year and week, 202601."),
    _date_part("year", "Year", "%Y", "Four-digit year."),
    _date_part("month", "Month", "%m", "Two-digit month."),
    _date_part("yearMonth", "Year month", "%Y%m", "Year and month, 202601."),
    _date_part("day", "Day", "%d", "Two-digit day of the month."),
    Dimension("eventName", "Event name", "Event", "event_name", description="Name of the event."),
    Dimension("deviceCategory", "Device category", "Platform / device", "device_category"),
    Dimension("operatingSystem", "Operating system", "Platform / device", "operating_system"),
    Dimension("browser", "Browser", "Platform / device", "browser"),
    Dimension("country", "Country", "Geography", "country"),
    Dimension("city", "City", "Geography", "city"),
    Dimension(
        "newVsReturning",
        "New / returning",
        "User",
        "new_vs_returning",
        description="`new` in a user's first session, else `returning`.",
    ),
    Dimension(
        "sessionDefaultChannelGroup",
        "Session default channel group",
        "Traffic Source",
        "channel_group",
    ),
    Dimension("sessionSource", "Session source", "Traffic Source", "session_source"),
    Dimension("sessionMedium", "Session medium", "Traffic Source", "session_medium"),
    Dimension("sessionCampaignName", "Session campaign", "Traffic Source", "session_campaign"),
    Dimension(
        "landingPage",
        "Landing page",
        "Page / screen",
        "landing_page",
        description="Path of the first page of the session.",
    ),
    Dimension("pagePath", "Page path", "Page / screen", "page_path"),
    Dimension("pageLocation", "Page location", "Page / screen", "page_location"),
    Dimension("pageTitle", "Page title", "Page / screen", "page_title"),
    Dimension("itemId", "Item ID", "Ecommerce", "item_id", "item"),
    Dimension("itemName", "Item name", "Ecommerce", "item_name", "item"),
    Dimension("itemBrand", "Item brand", "Ecommerce", "item_brand", "item"),
    Dimension("itemVariant", "Item variant", "Ecommerce", "item_variant", "item"),
    Dimension("itemCategory", "Item category", "Ecommerce", "item_category", "item"),
    Dimension("itemListName", "Item list name", "Ecommerce", "item_list_name", "item"),
)


def _events(name: str) -> str:
    return f"count(*) FILTER (event_name = '{name}')"


def _units(condition: str) -> str:
    # A sum of integers is a 128-bit number in DuckDB, and Arrow has none.
    return f"CAST(coalesce(sum(item_units) FILTER ({condition}), 0) AS BIGINT)"


def _ratio(numerator: str, denominator: str) -> str:
    return f"coalesce({numerator} / nullif({denominator}, 0), 0.0)"


_SESSIONS = "count(DISTINCT session_id)"
# A session counts as engaged in a group that has one of its engaged rows.
_ENGAGED = "count(DISTINCT session_id) FILTER (is_engaged)"
_TOTAL_USERS = "count(DISTINCT user_id)"
_ACTIVE_USERS = "count(DISTINCT user_id) FILTER (is_active_user)"
_VIEWS = _events("page_view")
_ORDERS = "count(*) FILTER (is_first_purchase)"
# Money is summed in millionths: exact in whatever order the rows come.
_REVENUE = "coalesce(sum(revenue_micros) FILTER (is_first_purchase), 0) / 1e6"

METRICS = (
    Metric("sessions", "Sessions", "Session", _SESSIONS, scope="any"),
    Metric("engagedSessions", "Engaged sessions", "Session", _ENGAGED, scope="any"),
    Metric(
        "engagementRate", "Engagement rate", "Session", _ratio(_ENGAGED, _SESSIONS), FLOAT, "any"
    ),
    Metric(
        "bounceRate",
        "Bounce rate",
        "Session",
        _ratio(f"({_SESSIONS} - {_ENGAGED})", _SESSIONS),
        FLOAT,
        "any",
    ),
    Metric("totalUsers", "Total users", "User", _TOTAL_USERS, scope="any"),
    Metric("activeUsers", "Active users", "User", _ACTIVE_USERS, scope="any"),
    Metric(
        "newUsers",
        "New users",
        "User",
        "count(DISTINCT user_id) FILTER (event_name IN ('first_visit', 'first_open'))",
        scope="any",
    ),
    Metric(
        "sessionsPerUser",
        "Sessions per active user",
        "Session",
        _ratio(_SESSIONS, _ACTIVE_USERS),
        FLOAT,
        "any",
    ),
    Metric("eventCount", "Event count", "Event", "count(*)"),
    Metric(
        "keyEvents",
        "Key events",
        "Event",
        _events("purchase"),
        FLOAT,
        description="Purchases: the one key event every property has from the start.",
    ),
    Metric("screenPageViews", "Views", "Page / screen", _VIEWS),
    Metric(
        "screenPageViewsPerSession",
        "Views per session",
        "Page / screen",
        _ratio(_VIEWS, _SESSIONS),
        FLOAT,
    ),
    Metric(
        "userEngagementDuration",
        "User engagement",
        "User",
        "coalesce(sum(engagement_msec), 0) / 1000",
        SECONDS,
    ),
    Metric("addToCarts", "Add to carts", "Ecommerce", _events("add_to_cart")),
    Metric("checkouts", "Checkouts", "Ecommerce", _events("begin_checkout")),
    Metric("ecommercePurchases", "Ecommerce purchases", "Ecommerce", _events("purchase")),
    Metric("transactions", "Transactions", "Ecommerce", _ORDERS),
    Metric("purchaseRevenue", "Purchase revenue", "Revenue", _REVENUE, CURRENCY),
    Metric(
        "totalRevenue",
        "Total revenue",
        "Revenue",
        _REVENUE,
        CURRENCY,
        description="Purchases only: the event store has no subscriptions and no ads.",
    ),
    Metric(
        "averagePurchaseRevenue",
        "Average purchase revenue",
        "Revenue",
        _ratio(_REVENUE, _ORDERS),
        CURRENCY,
    ),
    Metric(
        "itemsViewed", "Items viewed", "Ecommerce", _units("event_name = 'view_item'"), scope="item"
    ),
    Metric(
        "itemsViewedInList",
        "Items viewed in list",
        "Ecommerce",
        _units("event_name = 'view_item_list'"),
        scope="item",
    ),
    Metric(
        "itemsClickedInList",
        "Items clicked in list",
        "Ecommerce",
        _units("event_name = 'select_item'"),
        scope="item",
    ),
    Metric(
        "itemsAddedToCart",
        "Items added to cart",
        "Ecommerce",
        _units("event_name = 'add_to_cart'"),
        scope="item",
    ),
    Metric(
        "itemsCheckedOut",
        "Items checked out",
        "Ecommerce",
        _units("event_name = 'begin_checkout'"),
        scope="item",
    ),
    Metric(
        "itemsPurchased", "Items purchased", "Ecommerce", _units("is_first_purchase"), scope="item"
    ),
    Metric(
        "itemRevenue",
        "Item revenue",
        "Ecommerce",
        "coalesce(sum(item_revenue_micros) FILTER (is_first_purchase), 0) / 1e6",
        CURRENCY,
        "item",
    ),
)
