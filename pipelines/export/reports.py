"""Reports of the catalogue, counted from landed days: exact, and in the shape that GA4 answers.

One SELECT a part of a report, over `counts`, or over `events` where a page or a parameter is
asked for, or over `items`. The definitions are those of the Data API's fields (docs/ga4.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from pipelines.config.tracking_plan import MicroConversion, ParameterCondition
from pipelines.export.flat import EVENT_DIMENSIONS, SESSION_DIMENSIONS
from pipelines.export.landing import Landing
from pipelines.ga4.date_windows import Period, trailing
from pipelines.ga4.decode.report_answer import OTHER, TEXT, apart_from, each_text, shortened_texts
from pipelines.ga4.extract.daily_reports import RANKING_DAYS
from pipelines.ga4.report_query import no_rows
from pipelines.ga4.report_spec import PARAMETER_VALUE, Part, ReportSpec, snake_case
from pipelines.sql_text import literal

_VIEWS = "event_name IN ('page_view', 'screen_view')"
# Metric of the API → SQL over the columns of landed rows.
METRICS = {
    "sessions": "count(DISTINCT session_key)",
    "engagedSessions": "count(DISTINCT session_key) FILTER (is_engaged)",
    "totalUsers": "count(DISTINCT user_key)",
    "activeUsers": "count(DISTINCT user_key) FILTER (is_active)",
    "eventCount": "sum(events)",
    "screenPageViews": f"sum(events) FILTER ({_VIEWS})",
    "userEngagementDuration": "sum(engagement_msec) / 1000",
    "transactions": "sum(orders)",
    "purchaseRevenue": "sum(revenue_micros) / 1e6",
    "itemsViewed": "sum(units) FILTER (event_name = 'view_item')",
    "itemsViewedInList": "sum(units) FILTER (event_name = 'view_item_list')",
    "itemsClickedInList": "sum(units) FILTER (event_name = 'select_item')",
    "itemsAddedToCart": "sum(units) FILTER (event_name = 'add_to_cart')",
    "itemsCheckedOut": "sum(units) FILTER (event_name = 'begin_checkout')",
    "itemsPurchased": "sum(bought)",
    "itemRevenue": "sum(revenue_micros) / 1e6",
}
_COLUMNS = {"eventName": "event_name", "pagePath": "page_path"} | {
    name: snake_case(name)
    for name in (*EVENT_DIMENSIONS, *SESSION_DIMENSIONS, "itemId", "itemName", "itemListName")
}
_ITEMS = {"itemId", "itemName", "itemListName"}


@dataclass(frozen=True)
class Counter:
    """Counts reports over one property's landed days. Take one cursor a thread."""

    landing: Landing
    cursor: duckdb.DuckDBPyConnection

    def rows(
        self, spec: ReportSpec, part: Part, days: Sequence[date], among: Sequence[str] | None = None
    ) -> pa.Table:
        """One part of a report by day: `date`, the part's fields and constants, and metrics.

        `among`: only these values of the report's last dimension.
        """
        return self._grouped(spec, part, days, ("date",), among)

    def users(self, spec: ReportSpec, part: Part, days: Sequence[date], window: Period) -> pa.Table:
        """One part of a report of a whole window: the part's fields, and metrics."""
        inside = [day for day in days if window.start <= day <= window.end]
        return self._grouped(spec, part, inside, (), None)

    def top_values(self, spec: ReportSpec, days: Sequence[date], end: date) -> list[str]:
        """The `spec.top` values of the last dimension with most sessions in the 28 days up to
        `end`; equal numbers in the order of their texts.
        """
        window = trailing(RANKING_DAYS, end)
        inside = [day for day in days if window.start <= day <= window.end]
        column = _COLUMNS[spec.dimensions[-1]]
        if not inside:
            return []
        found = self.cursor.execute(
            f"SELECT {column}, {METRICS['sessions']} AS sessions "
            f"FROM {self._source({spec.dimensions[-1]}, (), inside)} GROUP BY 1 "
            f"HAVING sessions > 0 ORDER BY sessions DESC, 1 LIMIT {spec.top}"
        ).fetchall()
        return [value for value, _ in found]

    def _grouped(
        self,
        spec: ReportSpec,
        part: Part,
        days: Sequence[date],
        time: tuple[str, ...],
        among: Sequence[str] | None,
    ) -> pa.Table:
        dimensions = {n: snake_case(n) for n in spec.dimensions if n not in part.without}
        keys = {column: _sql_of(name, part) for name, column in dimensions.items()}
        metrics = {one.column: _metric(one.api_name, one.is_integer) for one in spec.metrics}
        conditions = list(_conditions(part))
        parameters: list[object] = []
        if among is not None:
            conditions.append(f"{_COLUMNS[spec.dimensions[-1]]} IN (SELECT unnest(?))")
            parameters.append(list(among))
        named = [
            f"{sql} AS {column}"
            for column, sql in {**dict.fromkeys(time, "date"), **keys, **metrics}.items()
        ]
        grouped = [str(number + 1) for number in range(len(time) + len(keys))]
        if not days:
            return _as_shown(no_rows(spec).select([*time, *keys, *metrics]), keys)
        sql = (
            f"SELECT {', '.join(named)} "
            f"FROM {self._source(set(dimensions), part.parameters, days)} "
            f"WHERE {' AND '.join(conditions) or 'true'} "
            + (f"GROUP BY {', '.join(grouped)} " if grouped else "")
            + f"HAVING {' OR '.join(f'{column} <> 0' for column in metrics)} "
            + (f"ORDER BY {', '.join(grouped)}" if grouped else "")
        )
        return _as_shown(self.cursor.execute(sql, parameters).to_arrow_table(), keys)

    def _source(
        self, dimensions: set[str], parameters: Sequence[str] | frozenset[str], days: Sequence[date]
    ) -> str:
        if dimensions & _ITEMS:
            name = "items.parquet"
        elif parameters or dimensions & {"pagePath", PARAMETER_VALUE}:
            name = "events.parquet"
        else:
            name = "counts.parquet"
        return self.files(name, days)

    def files(self, name: str, days: Sequence[date]) -> str:
        """FROM: one kind of file of several days, with its `date`."""
        paths = ", ".join(literal(self.landing.path(day, name)) for day in days)
        folder = "parse_path(filename, 'both_slash')[-2]"
        return (
            f"(SELECT *, CAST({folder} AS DATE) AS date "
            f"FROM read_parquet([{paths}], filename = true))"
        )


def matches(micro: MicroConversion) -> str:
    """SQL over landed events: whether one is an event of the micro-conversion."""
    return " AND ".join((_named(micro.event_names), *(_condition(one) for one in micro.conditions)))


def _conditions(part: Part) -> Sequence[str]:
    found = [_named(part.event_names)] if part.event_names else []
    return [*found, matches(part.micro_conversion)] if part.micro_conversion else found


def _named(names: Sequence[str]) -> str:
    return f"event_name IN ({', '.join(literal(name) for name in names)})"


def _condition(condition: ParameterCondition) -> str:
    column = f'"param_{condition.name}"'
    if condition.operator == ">=":
        return f"coalesce(TRY_CAST({column} AS DOUBLE) >= {int(condition.value)}, false)"
    return f"coalesce({column} = {literal(condition.value)}, false)"


def _sql_of(name: str, part: Part) -> str:
    if name == PARAMETER_VALUE:
        return f"coalesce(\"param_{part.parameter}\", '(not set)')"
    return _COLUMNS[name]


def _metric(api_name: str, is_integer: bool) -> str:
    return f"CAST(coalesce({METRICS[api_name]}, 0) AS {'BIGINT' if is_integer else 'DOUBLE'})"


def _as_shown(table: pa.Table, keys: Iterable[str]) -> pa.Table:
    """As answers are decoded: nothing reads like GA4's `(other)`, nothing is longer than a page."""
    for column in keys:
        place = table.schema.get_field_index(column)
        encoded = pa.array(table[column].combine_chunks().dictionary_encode())
        shown = pa.chunked_array([each_text(encoded, _as_decoded)], TEXT)
        table = table.set_column(place, column, shown)
    return table


def _as_decoded(texts: pa.Array) -> pa.Array:
    return apart_from(OTHER, shortened_texts(texts))
