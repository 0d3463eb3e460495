"""The flat columns of a landed day, as SQL: which there are, and how they come from nested rows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from pipelines.export.channels import channel_group_sql
from pipelines.export.columns import Columns
from pipelines.export.errors import ExportError
from pipelines.export.event_rows import EventRows
from pipelines.ga4.report_spec import PARAMETER_VALUE, ReportSpec, snake_case
from pipelines.sql_text import identifier, literal

NOT_SET = "(not set)"
_CAMPAIGN = "session_traffic_source_last_click.cross_channel_campaign"
# Dimensions that each event has of its own → the column of the export.
EVENT_DIMENSIONS = {
    "deviceCategory": "device.category",
    "operatingSystem": "device.operating_system",
    "browser": "device.web_info.browser",
    "hostName": "device.web_info.hostname",
    "language": "device.language",
    "platform": "platform",
    "continent": "geo.continent",
    "country": "geo.country",
    "region": "geo.region",
    "city": "geo.city",
}
CHANNEL = "sessionDefaultChannelGroup"
# Dimensions of a session as a whole → SQL over `sessions`, NULL where nothing is known.
SESSION_DIMENSIONS = {
    CHANNEL: "channel_group",
    "sessionSource": "session_source",
    "sessionMedium": "session_medium",
    "sessionCampaignName": "session_campaign",
    "newVsReturning": "CASE WHEN session_number = 1 THEN 'new' "
    "WHEN session_number > 1 THEN 'returning' END",
    "landingPage": "landing_page",
}
# Dimensions that reports have whatever the segments are.
_ALWAYS = {"date", "eventName", "pagePath", "itemId", "itemName", "itemListName", PARAMETER_VALUE}
# What a session keeps from its first event that has it → its SQL over the export.
_FIRST = ("session_number", "page_location", "channel_group", "session_source",
          "session_medium", "session_campaign")  # fmt: skip
_KNOWN = tuple("landing_page" if name == "page_location" else name for name in _FIRST)
# Moment, then place in the files, as one number: half the cost of a record of both.
_ORDER = "(moment::HUGEINT << 64) + position"
_NO_ORDER = "coalesce(order_id, '') IN ('', '(not set)')"


@dataclass(frozen=True)
class FlatColumns:
    """Which dimensions and event parameters are landed: those that the reports use."""

    dimensions: tuple[str, ...]
    parameters: tuple[str, ...]

    @classmethod
    def of(cls, reports: Iterable[ReportSpec], parameters: Iterable[str] = ()) -> FlatColumns:
        """The columns that `reports` and their funnels need, and more event `parameters`.

        Raises ExportError for parameters that no table can hold side by side.
        """
        specs = tuple(reports)
        asked = {name for spec in specs for name in spec.dimensions}
        parts = {name for spec in specs for part in spec.parts for name in part.parameters}
        steps = (step for spec in specs for funnel in spec.funnels for step in funnel.steps)
        micros = (step.micro_conversion for step in steps)
        conditions = {one.name for micro in micros if micro for one in micro.conditions}
        known = {*EVENT_DIMENSIONS, *SESSION_DIMENSIONS}
        wanted = (asked | {"deviceCategory"}) & known
        named = sorted(parts | conditions | {*parameters})
        columns = {name.lower(): name for name in named}
        for name in named:
            if (other := columns[name.lower()]) != name:
                raise ExportError(
                    f"The event parameters {name} and {other} differ in capitals only, which "
                    "columns cannot: write both alike in tracking plan and register."
                )
        return cls(tuple(sorted(wanted)), tuple(named))

    @property
    def fingerprint(self) -> str:
        """Equal columns, equal fingerprint."""
        named = repr((self.dimensions, self.parameters, self._sql_of(CHANNEL)))
        return hashlib.sha256(named.encode()).hexdigest()[:16]

    def missing(self, spec: ReportSpec) -> tuple[str, ...]:
        """Dimensions of a report that the export route does not know."""
        known = {*_ALWAYS, *self.dimensions}
        return tuple(name for name in spec.dimensions if name not in known)

    @property
    def _event_dimensions(self) -> list[str]:
        return [name for name in self.dimensions if name in EVENT_DIMENSIONS]

    @property
    def _session_dimensions(self) -> list[str]:
        return [name for name in self.dimensions if name in SESSION_DIMENSIONS]

    @staticmethod
    def _sql_of(name: str) -> str:
        """SQL of a session's dimension; the rules of channels are read when they are needed."""
        return channel_group_sql() if name == CHANNEL else SESSION_DIMENSIONS[name]

    def staged_sql(self, rows: EventRows, day: date) -> str:
        """One row an event of `day` that can be counted, its nested columns decoded once."""
        staged = self._staged(rows.columns)
        listed = ",\n    ".join(f"{sql} AS {identifier(name)}" for name, sql in staged.items())
        return f"SELECT {rows.position} AS position,\n    {listed}\nFROM ({rows.decoded_sql(day)})"

    @staticmethod
    def items_sql(sources: Sequence[EventRows], day: date) -> str:
        """Units and revenue by event and item, of purchases by `position`, too. They are read from
        the files by themselves: a list beside each row of `staged` would make it twice as dear.
        """
        selects = (
            f"SELECT position, event_name, {_item(rows.columns)} FROM ({rows.items_sql(day)})"
            for rows in sources
        )
        return f"""
SELECT CASE WHEN event_name = 'purchase' THEN position END AS position, event_name, item_id,
    item_name, item_list_name, sum(units) AS units, sum(revenue_micros) AS revenue_micros
FROM ({" UNION ALL ".join(selects)}) WHERE position NOT IN (FROM duplicates) GROUP BY ALL
"""

    def _staged(self, columns: Columns) -> dict[str, str]:
        session_id = parameter("ga_session_id")
        revenue = (
            f"coalesce({columns.field('ecommerce.purchase_revenue', 'DOUBLE')}, "
            f"TRY_CAST({parameter('value')} AS DOUBLE))"
        )
        purchase = "event_name = 'purchase'"
        msec = f"greatest(0, coalesce(TRY_CAST({parameter('engagement_time_msec')} AS BIGINT), 0))"
        engaged = f"coalesce({parameter('session_engaged')} IN ('1', 'true'), false)"
        return {
            "moment": "TRY_CAST(event_timestamp AS BIGINT)",
            "event_name": "CAST(event_name AS VARCHAR)",
            "user_key": "hash(CAST(user_pseudo_id AS VARCHAR))",
            "session_key": f"CASE WHEN {session_id} IS NOT NULL "
            f"THEN hash(CAST(user_pseudo_id AS VARCHAR), {session_id}) END",
            "session_number": f"TRY_CAST({parameter('ga_session_number')} AS BIGINT)",
            "is_engaged": engaged,
            "is_active": f"coalesce({columns.field('is_active_user', 'BOOLEAN')}, {engaged} OR "
            f"{msec} > 0 OR event_name IN ('first_visit', 'first_open'))",
            "engagement_msec": msec,
            "page_location": parameter("page_location"),
            "channel_group": columns.field(f"{_CAMPAIGN}.default_channel_group"),
            **_source_columns(columns),
            "order_id": f"CASE WHEN {purchase} THEN {order_id(columns)} END",
            "revenue_micros": f"CASE WHEN {purchase} AND isfinite({revenue}) "
            f"THEN TRY_CAST(round({revenue} * 1e6) AS BIGINT) END",
            **{
                snake_case(name): columns.field(EVENT_DIMENSIONS[name])
                for name in self._event_dimensions
            },
            **{f"param_{name}": parameter(name) for name in self.parameters},
        }  # fmt: skip

    def sessions_sql(self, before: Path | None) -> str:
        """`sessions`: what belongs to a session as a whole, taken from its earliest event that
        has it; what the day before knows of a session comes first.
        """
        firsts = ", ".join(
            # Leaves out rows that have no value.
            f"arg_min({name}, {_ORDER}) AS {name}"
            for name in _FIRST
        )
        pages = f"""
CREATE TEMP TABLE pages AS SELECT page_location, {_path("page_location")} AS page_path
FROM (SELECT DISTINCT page_location FROM staged WHERE page_location IS NOT NULL);
CREATE TEMP TABLE today AS SELECT * EXCLUDE (page_location, page_path), page_path AS landing_page
FROM (SELECT session_key, {firsts} FROM staged WHERE session_key IS NOT NULL GROUP BY session_key)
LEFT JOIN pages USING (page_location);
"""
        if before is None:
            return pages + "CREATE TEMP TABLE sessions AS FROM today;"
        kept = ", ".join(f"coalesce(earlier.{name}, today.{name}) AS {name}" for name in _KNOWN)
        return f"""{pages}
CREATE TEMP TABLE sessions AS
SELECT today.session_key, {kept}
FROM today LEFT JOIN {literal(before)} AS earlier USING (session_key);
"""

    @property
    def no_channel(self) -> str:
        """A session whose channel nobody can tell (SQL over `sessions`)."""
        return f"({self._sql_of(CHANNEL)}) IS NULL"

    def orders_sql(self) -> str:
        """`orders`: position of each order's first row, and of purchases without an identifier:
        these cannot be told to be repeats. Needs `earlier_orders`.
        """
        return f"""
CREATE TEMP TABLE orders AS
SELECT position FROM staged
WHERE event_name = 'purchase' AND ({_NO_ORDER} OR order_id NOT IN (FROM earlier_orders))
QUALIFY {_NO_ORDER} OR row_number() OVER (PARTITION BY order_id ORDER BY moment, position) = 1
"""

    def events_sql(self) -> str:
        """Events with what is known of their session, page and order."""
        named = {name: f"staged.{snake_case(name)}" for name in self._event_dimensions}
        named |= {name: f"named.{snake_case(name)}" for name in self._session_dimensions}
        shown = [
            f"coalesce({sql}, '{NOT_SET}') AS {snake_case(name)}" for name, sql in named.items()
        ]
        whole = [f"{self._sql_of(name)} AS {snake_case(name)}" for name in self._session_dimensions]
        params = [identifier(f"param_{name}") for name in self.parameters]
        return f"""
SELECT
    moment, position, event_name, user_key, session_key, is_engaged, is_active, engagement_msec,
    1::BIGINT AS events, (orders.position IS NOT NULL)::BIGINT AS orders,
    CASE WHEN orders.position IS NOT NULL THEN coalesce(revenue_micros, 0) ELSE 0 END
        AS revenue_micros,
    coalesce(page_path, '{NOT_SET}') AS page_path, {", ".join((*shown, *params))}
FROM staged
LEFT JOIN (SELECT {", ".join(("session_key", *whole))} FROM sessions) AS named USING (session_key)
LEFT JOIN pages USING (page_location)
LEFT JOIN orders USING (position)
"""

    def outputs(self, folder: Path) -> dict[str, str]:
        """File → what is written to it, in this order: counts are read from the events' file in
        `folder`, which costs less than to hold all events in memory once more.
        """
        keys = ", ".join(
            ("event_name", "user_key", "session_key", *(snake_case(n) for n in self.dimensions))
        )
        return {
            "events.parquet": self.events_sql(),
            "counts.parquet": f"""
SELECT {keys}, count(*) AS events, bool_or(is_engaged) AS is_engaged,
    bool_or(is_active) AS is_active, sum(engagement_msec)::BIGINT AS engagement_msec,
    sum(orders)::BIGINT AS orders, sum(revenue_micros)::BIGINT AS revenue_micros
FROM {literal(folder / "events.parquet")} GROUP BY {keys}""",
            "items.parquet": """
SELECT event_name, item_id, item_name, item_list_name, sum(units)::BIGINT AS units,
    coalesce(sum(units) FILTER (orders.position IS NOT NULL), 0)::BIGINT AS bought,
    coalesce(sum(revenue_micros) FILTER (orders.position IS NOT NULL), 0)::BIGINT AS revenue_micros
FROM items LEFT JOIN orders USING (position) GROUP BY ALL""",
            "sessions.parquet": "FROM sessions ORDER BY session_key",
            "orders.parquet": f"SELECT DISTINCT order_id FROM staged WHERE NOT ({_NO_ORDER}) "
            "ORDER BY order_id",
        }


def parameter(name: str) -> str:
    """An event parameter as the API shows it: its first value, as text (SQL over `staged`)."""
    return f"param_texts[list_position(param_names, {literal(name)})]"


def order_id(columns: Columns) -> str:
    """The identifier of an event's order (SQL over decoded rows)."""
    found = columns.field("ecommerce.transaction_id")
    return f"coalesce({found}, {parameter('transaction_id')})"


def _source_columns(columns: Columns) -> dict[str, str]:
    """Where a session came from: what GA4 attributed, else what the event itself carried."""
    shown = {"source": "source", "medium": "medium", "campaign": "campaign_name"}
    return {
        f"session_{name}": f"coalesce({columns.field(f'{_CAMPAIGN}.{field}')}, "
        f"{columns.field(f'collected_traffic_source.manual_{field}')}, {parameter(name)})"
        for name, field in shown.items()
    }


def _item(columns: Columns) -> str:
    """What is read of `item`; a unit where the tag sent no quantity."""
    quantity = f"greatest(0, coalesce({columns.item('quantity', 'BIGINT')}, 1))"
    own, price = columns.item("item_revenue", "DOUBLE"), columns.item("price", "DOUBLE")
    money = f"coalesce({own}, {price} * {quantity}, 0)"
    micros = f"coalesce(TRY_CAST(round({money} * 1e6) AS BIGINT), 0)"
    named = (
        f"coalesce({columns.item(name)}, '{NOT_SET}') AS {name}"
        for name in ("item_id", "item_name", "item_list_name")
    )
    return (
        f"{', '.join(named)}, {quantity} AS units, "
        f"CASE WHEN isfinite({money}) THEN {micros} ELSE 0 END AS revenue_micros"
    )


def _path(location: str) -> str:
    """The path of an address without host, query and fragment; `/` where there is none."""
    bare = f"regexp_replace({location}, '[?#].*$', '', 's')"
    path = f"regexp_replace({bare}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/]*', '')"
    return f"CASE WHEN {path} = '' THEN '/' ELSE {path} END"
