"""The SQL that turns GA4's nested export into flat tables for answering reports.

`staged` is read from the files, everything else is made from it and from `items`. Each function
returns a SELECT; those that read the files (`staged_sql`, `items_sql`) bind the list of files.
"""

from __future__ import annotations

from pipelines.emulator.server.export import ExportColumns
from pipelines.emulator.server.properties import Property, custom_column

# A row's place in its file is its identity and breaks ties of time; numbering rows with a window
# would read them on one core.
_HIT_ID = "file_index * 4294967296 + file_row_number"
# The channel of a session until it is known.
UNASSIGNED = "Unassigned"
_SESSION_TEXTS = ("channel_group", "session_source", "session_medium", "session_campaign")


def staged_sql(columns: ExportColumns, about: Property) -> str:
    """One row per counted event with plain columns; text is still NULL where nothing was sent."""
    staged = _event_columns(columns, about) | {
        custom_column(index): columns.parameter_text(name)
        for index, name in enumerate(about.custom_dimensions)
    }
    listed = ", ".join(f"{sql} AS {name}" for name, sql in staged.items())
    return f"SELECT hit_id, {listed} {columns.rows(_HIT_ID)}"


def _event_columns(columns: ExportColumns, about: Property) -> dict[str, str]:
    local = f"timezone('{about.zone.key}', make_timestamptz(event_timestamp))"
    revenue = (
        f"coalesce({columns.field('ecommerce.purchase_revenue', 'DOUBLE')}, "
        f"{columns.parameter_number('value')})"
    )
    transaction = (
        f"coalesce({columns.field('ecommerce.transaction_id')}, "
        f"{columns.parameter_text('transaction_id')})"
    )
    campaign = "session_traffic_source_last_click.cross_channel_campaign"
    return {
        "event_date": "CAST(strptime(event_date, '%Y%m%d') AS DATE)",
        "date_text": "event_date",
        "event_timestamp": "event_timestamp",
        "local_hour": f"strftime({local}, '%H')",
        "event_name": "event_name",
        "user_pseudo_id": "user_pseudo_id",
        "ga_session_id": columns.parameter_int("ga_session_id"),
        "ga_session_number": columns.parameter_int("ga_session_number"),
        "is_engaged": f"{columns.parameter_int('session_engaged')} IS NOT DISTINCT FROM 1",
        "engagement_msec": columns.parameter_int("engagement_time_msec"),
        "is_active_user": columns.field("is_active_user", "BOOLEAN"),
        "page_location": columns.parameter_text("page_location"),
        "page_title": columns.parameter_text("page_title"),
        "device_category": columns.field("device.category"),
        "operating_system": columns.field("device.operating_system"),
        "browser": columns.field("device.web_info.browser"),
        "country": columns.field("geo.country"),
        "city": columns.field("geo.city"),
        "channel_group": columns.field(f"{campaign}.default_channel_group"),
        "session_source": columns.field(f"{campaign}.source"),
        "session_medium": columns.field(f"{campaign}.medium"),
        "session_campaign": columns.field(f"{campaign}.campaign_name"),
        "transaction_id": f"CASE WHEN event_name = 'purchase' THEN {transaction} END",
        "revenue": f"CASE WHEN event_name = 'purchase' THEN {revenue} END",
    }


def sessions_sql() -> str:
    """One row per session, with what belongs to it as a whole: the value of its earliest event
    that carries one. Channel and campaign are the export's last-click values; the landing page is
    the session's first page.
    """
    first = {
        name: f"arg_min({name}, event_timestamp) FILTER ({name} IS NOT NULL)"
        for name in ("ga_session_number", "page_location", *_SESSION_TEXTS)
    }
    number = first["ga_session_number"]
    texts = ", ".join(f"{first[name]} AS {name}" for name in _SESSION_TEXTS)
    return f"""
    SELECT
        row_number() OVER (ORDER BY user_pseudo_id, ga_session_id) AS session_id,
        user_pseudo_id, ga_session_id, {texts},
        CASE WHEN {number} = 1 THEN 'new' WHEN {number} > 1 THEN 'returning' END
            AS new_vs_returning,
        {_path(first["page_location"])} AS landing_page
    FROM staged WHERE ga_session_id IS NOT NULL GROUP BY user_pseudo_id, ga_session_id
    """


# One row per user of the API: a browser's pseudonymous identifier. Users and sessions are numbered
# alike on every machine, because errors and shares are drawn by the hashes of their numbers.
USERS_SQL = """
SELECT row_number() OVER (ORDER BY user_pseudo_id) AS user_id, user_pseudo_id
FROM (SELECT DISTINCT user_pseudo_id FROM staged)
"""

# A repeated transaction is one order, on the date of its earliest row. A purchase without a usable
# identifier (883 of the public sample say "(not set)") cannot be told to be a repeat.
FIRST_PURCHASES_SQL = """
SELECT hit_id FROM staged
WHERE event_name = 'purchase'
QUALIFY coalesce(transaction_id, '') IN ('', '(not set)')
    OR row_number() OVER (PARTITION BY transaction_id ORDER BY event_timestamp, hit_id) = 1
"""


def _path(location: str) -> str:
    """Path of an address, without query; an address without a path is the root."""
    path = f"regexp_extract({location}, '^(?:[a-zA-Z]+://[^/?#]*)?([^?#]*)', 1)"
    return f"CASE WHEN {path} = '' THEN '/' ELSE {path} END"


# Every address with its path.
PAGES_SQL = f"""
SELECT page_location, {_path("page_location")} AS page_path
FROM (SELECT DISTINCT page_location FROM staged)
"""


def items_sql(columns: ExportColumns) -> str:
    """Item rows; quantity is 1 where the tag sent none; money in millionths, which add exactly."""
    quantity = f"coalesce({columns.item('quantity', 'BIGINT')}, 1)"
    own_revenue = columns.item("item_revenue", "DOUBLE")
    price = columns.item("price", "DOUBLE")
    items = "unnest(items)" if columns.has("items") else "unnest([])"
    return f"""
    SELECT
        hit_id,
        coalesce({columns.item("item_id")}, '(not set)') AS item_id,
        coalesce({columns.item("item_name")}, '(not set)') AS item_name,
        coalesce({columns.item("item_brand")}, '(not set)') AS item_brand,
        coalesce({columns.item("item_variant")}, '(not set)') AS item_variant,
        coalesce({columns.item("item_category")}, '(not set)') AS item_category,
        coalesce({columns.item("item_list_name")}, '(not set)') AS item_list_name,
        {quantity} AS item_units,
        CAST(round(coalesce({own_revenue}, {price} * {quantity}, 0) * 1e6) AS BIGINT)
            AS item_revenue_micros
    FROM (SELECT hit_id, {items} AS item {columns.rows(_HIT_ID)})
    """


def parameter_hits_sql(columns: ExportColumns, name: str) -> str:
    """Events with one parameter's value, read from the files: for parameters nobody registered."""
    return f"SELECT hit_id, {columns.parameter_text(name)} AS value {columns.rows(_HIT_ID)}"


def words_sql(about: Property) -> str:
    """Every text that `hits` may show, sorted: an ENUM of them is grouped in 0.4 of the time."""
    columns = [column.split(".") for column in _texts(about)]
    distinct = (f"SELECT DISTINCT {name} AS word FROM {table}" for table, name in columns)
    return f"""
    SELECT DISTINCT coalesce(word, '(not set)')
    FROM ({" UNION ALL ".join(distinct)} UNION ALL VALUES (NULL), ('{UNASSIGNED}')) ORDER BY 1
    """


def hits_sql(about: Property) -> str:
    """The flat table. `(not set)` where an event has no value; empty text stays empty."""
    shown = (
        f"CAST(coalesce({column}, '(not set)') AS word) AS {column.split('.')[1]}"
        for column in _texts(about)
    )
    return f"""
    SELECT
        staged.hit_id, staged.event_date, staged.event_timestamp AS moment,
        sessions.session_id, users.user_id, staged.is_engaged, {", ".join(shown)},
        coalesce(staged.is_active_user, staged.is_engaged OR staged.engagement_msec > 0
            OR staged.event_name IN ('first_visit', 'first_open'), false) AS is_active_user,
        coalesce(staged.engagement_msec, 0) AS engagement_msec,
        first_purchases.hit_id IS NOT NULL AS is_first_purchase,
        CAST(round(coalesce(staged.revenue, 0) * 1e6) AS BIGINT) AS revenue_micros,
        coalesce(units.item_units, 0) AS item_units,
        coalesce(units.item_revenue_micros, 0) AS item_revenue_micros
    FROM staged
    JOIN users USING (user_pseudo_id)
    LEFT JOIN pages USING (page_location)
    LEFT JOIN sessions USING (user_pseudo_id, ga_session_id)
    LEFT JOIN first_purchases ON first_purchases.hit_id = staged.hit_id
    LEFT JOIN (
        SELECT hit_id, CAST(sum(item_units) AS BIGINT) AS item_units,
            CAST(sum(item_revenue_micros) AS BIGINT) AS item_revenue_micros
        FROM items GROUP BY hit_id
    ) AS units ON units.hit_id = staged.hit_id
    """


def _texts(about: Property) -> tuple[str, ...]:
    """Where the texts of `hits` come from, `table.column`."""
    staged = (
        "event_name", "date_text", "local_hour", "page_location", "page_title", "device_category",
        "operating_system", "browser", "country", "city",
        *(custom_column(index) for index in range(len(about.custom_dimensions))),
    )  # fmt: skip
    sessions = (*_SESSION_TEXTS, "landing_page", "new_vs_returning")
    return (
        *(f"staged.{name}" for name in staged),
        *(f"sessions.{name}" for name in sessions),
        "pages.page_path",
    )


def source(of_items: bool, hits: str) -> str:
    """What a report reads: events (`hits` is their SQL), or items with the columns of their event,
    units and revenue being the item's own.
    """
    if not of_items:
        return hits
    return f"""
    (SELECT hits.* EXCLUDE (hit_id, item_units, item_revenue_micros), items.*
    FROM items JOIN {hits} USING (hit_id))
    """
