"""Every published number that calls itself complete and carries no flag, against the truth.

Counted numbers must be equal; sessions and users lie within the error of GA4's estimates; money
within a cent a row. A row that is missing where everything was complete is a wrong number, too.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from tests.soak.truth import FEW, GROWN_SHARE, SEPARATOR, joined


@dataclass(frozen=True)
class Slack:
    """How far a server's estimates may be off: sessions and users by a share of themselves, engaged
    sessions by so many in every row of a day.
    """

    share: float = 0.0
    engaged: int = 0


@dataclass(frozen=True)
class Published:
    """Numbers of a mart: from and to which date, of which cell, which metrics."""

    mart: str
    kind: str
    first: str
    last: str
    cell: str
    metrics: tuple[tuple[str, str], ...]
    where: str = "true"


_KEY = joined("segment_name", "segment_value", "key")
_STEP = joined("segment_name", "segment_value", "step_key")
_CELL = joined("cube", "device", "channel", "visitor", "country", "step_key")
_ITEM = joined("item_id", "item_name")
_WINDOW = ("window_start", "window_end")
_EVENTS_AND_SESSIONS = (("'events'", "events"), ("'sessions'", "sessions"))
# The simulator's truth knows no landing pages, and of every session's channel; GA4 not at once.
_KNOWN = "segment_name <> 'landing_page' and segment_value <> 'Unassigned'"
_UNITS = ("product_view", "add_to_cart", "checkout_start", "purchase")
MARTS = (
    Published("fct_funnel_daily", "key", "date", "date", _STEP,
              (("'sessions'", "reached"),), _KNOWN),
    Published("fct_funnel_window", "key", *_WINDOW, _STEP, (("'sessions'", "reached"),), _KNOWN),
    Published("fct_micro_conversion_daily", "key", "date", "date", _KEY, _EVENTS_AND_SESSIONS,
              _KNOWN),
    Published("fct_micro_conversion_window", "key", *_WINDOW, _KEY, _EVENTS_AND_SESSIONS, _KNOWN),
    Published("fct_cell_funnel", "cell", "date", "date", _CELL, (("'sessions'", "reached"),),
              "channel <> 'Unassigned'"),
    Published("fct_product_funnel", "item", "date", "date", _ITEM,
              (("'product_view'", "items_viewed"), ("'add_to_cart'", "items_added_to_cart"),
               ("'checkout_start'", "items_checked_out"), ("'purchase'", "items_purchased"),
               ("'revenue'", "item_revenue"))),
    Published("fct_product_funnel_window", "item", *_WINDOW, _ITEM, (("step_key", "units"),),
              f"step_key in {_UNITS}"),
    Published("fct_event_parameter", "payment", *_WINDOW, "parameter_value", _EVENTS_AND_SESSIONS,
              "parameter = 'payment_type'"),
    Published("fct_page_engagement", "page", *_WINDOW, "page_path",
              (("'views'", "views"), ("'sessions'", "sessions"),
               ("'engaged_sessions'", "engaged_sessions"),
               ("'scroll_sessions'", "scroll_sessions"))),
    Published("fct_page_micro_conversion", "page key", *_WINDOW, joined("page_path", "key"),
              _EVENTS_AND_SESSIONS),
    Published("fct_collection", "list", *_WINDOW, "item_list_name",
              (("'viewed'", "items_viewed"), ("'clicked'", "items_clicked"))),
    Published("fct_closed_funnel", "closed", "window_end", "window_end",
              joined("window_name", "funnel", "segment_value", "step_key"),
              (("'users'", "reached"),),
              "funnel in ('core', 'extended', 'checkout') and (window_name = '1d' "
              "or (window_name = '28d' and window_end = last_day()))"),
)  # fmt: skip
# Where a day's row may be missing although all it rests on is complete: mart → kind, cell, metric,
# which cells, and the reports they rest on.
_SEGMENT = f"split_part(cell, '{SEPARATOR}', 1)"
_IS_SESSIONS = f"split_part(cell, '{SEPARATOR}', 3) = 'sessions'"
_MISSING = {
    "fct_micro_conversion_daily": (
        "key", _KEY, "sessions", f"not {_IS_SESSIONS}",
        f"[one || '_by_' || {_SEGMENT} for one in ['sessions', 'events', 'micro']]",
    ),
    "fct_funnel_daily": ("key", _STEP, "sessions", _IS_SESSIONS, f"['sessions_by_' || {_SEGMENT}]"),
    "fct_cell_funnel": (
        "cell", _CELL, "sessions", f"split_part(cell, '{SEPARATOR}', 6) = 'sessions'",
        f"[if(starts_with(cell, 'device_country{SEPARATOR}'), 'cells_country', 'cells')]",
    ),
    "fct_product_funnel": ("item", _ITEM, "product_view", "true", "['items']"),
}  # fmt: skip
ESTIMATED = ("sessions", "engaged_sessions", "scroll_sessions", "users")
# A day's number at least. Late sessions take their events along, of which one may have many.
_LEAST = f"""
    case
        when not (is_provisional and coalesce(bounds.is_growing, false))
            then true_daily.value * coalesce(bounds.low, 1)
        when true_daily.metric in {ESTIMATED}
            then greatest(0, {GROWN_SHARE} * true_daily.value * bounds.low - {FEW})
        else 0
    end
"""


@dataclass(frozen=True)
class Compared:
    """How many numbers of a property were compared, and what was wrong, in sentences."""

    count: int
    wrong_count: int
    wrong: tuple[str, ...]


def compare(connection: duckdb.DuckDBPyConnection, property_id: str, slack: Slack) -> Compared:
    """Compare the attached database `published` with the tables of `truth`."""
    said = " union all ".join(
        f"select '{one.mart}' as mart, '{one.kind}' as kind, {one.first} as first_day, "
        f"{one.last} as last_day, {one.cell} as cell, {metric} as metric, "
        f"{column}::double as value, maturity = 'provisional' as is_provisional "
        f"from published.marts.{one.mart} where property_id = '{property_id}' "
        f"and is_complete and flags is null and {column} is not null and {one.where}"
        for one in MARTS
        for metric, column in one.metrics
    )
    connection.execute(f"create or replace table said as select distinct * from ({said})")
    connection.execute(f"create or replace table judged as {_judged(slack)}")
    (count,) = connection.execute("select count(*) from judged").fetchone() or (0,)
    wrong = connection.execute(
        "select mart, first_day, last_day, cell, metric, value, low, high, count(*) over () "
        "from judged where value < low - slack or value > high + slack order by all limit 3"
    ).fetchall()
    missing = [row for mart in _MISSING for row in _missing(connection, property_id, mart)]
    sentences = [
        f"{mart} of {property_id}, {first} to {last}, {cell}: {metric} is {value:g} and calls "
        f"itself complete, the truth is {low:g}{f' to {high:g}' if high != low else ''}."
        for mart, first, last, cell, metric, value, low, high, _ in wrong
    ]
    sentences += [
        f"{mart} of {property_id}, {day}, has no row for {cell} although its reports call "
        f"themselves complete; the truth is {value:g} {metric}."
        for mart, day, cell, metric, value, _ in missing
    ]
    missing_count = sum({mart: many for mart, *_, many in missing}.values())
    return Compared(count, (wrong[0][-1] if wrong else 0) + missing_count, tuple(sentences))


def _judged(slack: Slack) -> str:
    """Every said number with its bounds: the sum of its days."""
    return f"""
        with summed as (
            select
                said.*,
                coalesce(sum({_LEAST}), 0) as low,
                coalesce(sum(true_daily.value * coalesce(bounds.high, 1)), 0) as high,
                count(true_daily.date) as days
            from said
            left join true_daily
                on said.kind = true_daily.kind and said.cell = true_daily.cell
                and said.metric = true_daily.metric
                and true_daily.date between said.first_day and said.last_day
            left join bounds on true_daily.date = bounds.date
            group by all
        )
        select *, 1e-6 + case
            when metric = 'engaged_sessions' then {slack.share} * high + {slack.engaged} * days
            when metric in {ESTIMATED} then {slack.share} * high
            when metric = 'revenue' then 0.005 * (1 + days)
            else 0
        end as slack
        from summed
    """


def _missing(connection: duckdb.DuckDBPyConnection, property_id: str, mart: str) -> list[tuple]:
    """(mart, day, cell, metric, truth, how many) of the first rows that are not there."""
    kind, cell, metric, only, reports = _MISSING[mart]
    own = f"property_id = '{property_id}'"
    return connection.execute(
        f"""
        with sound as (
            select
                date, list(report) as reports, bool_or(maturity = 'provisional') as is_provisional
            from published.marts.fct_data_completeness
            where {own} and window_name = '1d' and is_complete
                and not (has_other_row or is_thresholded or is_sampled)
                and coalesce(missing_share, 0) = 0
            group by date
        )
        select '{mart}', date, cell, metric, value, count(*) over () from true_daily
        inner join sound using (date)
        left join bounds using (date)
        where kind = '{kind}' and metric = '{metric}' and value > 0 and {only}
            and list_has_all(reports, {reports})
            and {_LEAST} > 0
            and (date, cell) not in (select (date, {cell}) from published.marts.{mart} where {own})
        order by all limit 2
        """
    ).fetchall()


def attach(connection: duckdb.DuckDBPyConnection, database: Path) -> None:
    """The published database as `published`, read-only."""
    connection.execute(f"attach '{database}' as published (read_only)")
