"""The dimensions the emulator answers, as data, and the catalogue of all fields.

A field is its API name, how the API describes it, and its SQL over `hits` (or over items, which
have the same columns). A new field is a new entry; nothing else names fields. Metrics are in
`metrics`; how a request is put together from fields is in `query`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pipelines.emulator.server.metrics import Metric, Scope, metrics_by_name
from pipelines.emulator.server.properties import Property, custom_column


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
    return Catalogue(_by_name((*DIMENSIONS, *custom)), metrics_by_name())


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
