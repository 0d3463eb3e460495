"""Reports of the catalogue, counted from landed days: exact, and in the shape that GA4 answers.

One SELECT a part of a report, over `counts`, or over `events` where a page or a parameter is
asked for, or over `items`. The definitions are those of the Data API's fields (docs/ga4.md).
Statements are written once, in DuckDB's SQL, and in words that other engines have as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import pyarrow as pa

from pipelines.config.tracking_plan import MicroConversion, ParameterCondition
from pipelines.export.engine import Engine
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
# Days are counted one by one anyway, and which sessions came with what takes memory for each.
DAYS_AT_ONCE = 7
# The parameter of a statement that lists the values it is about.
AMONG = "among"


@dataclass(frozen=True)
class Counter:
    """Counts reports over one property's landed days, in the engine that the settings name."""

    landing: Landing
    engine: Engine

    def rows(
        self, spec: ReportSpec, part: Part, days: Sequence[date], among: Sequence[str] | None = None
    ) -> pa.Table:
        """One part of a report by day: `date`, the part's fields and constants, and metrics.

        `among`: only these values of the report's last dimension, where `spec.top` asks for it.
        """
        weeks = [days[at : at + DAYS_AT_ONCE] for at in range(0, len(days), DAYS_AT_ONCE)]
        tables = [self._grouped(spec, part, some, ("date",), among) for some in weeks or [days]]
        return pa.concat_tables(tables)

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
        if not inside:
            return []
        source = self.files(ranked_file(spec), inside)
        found: list[str] = self.engine.table(ranking_sql(spec, source))[0].to_pylist()
        return found

    def _grouped(
        self,
        spec: ReportSpec,
        part: Part,
        days: Sequence[date],
        time: tuple[str, ...],
        among: Sequence[str] | None,
    ) -> pa.Table:
        keys = _keys(spec, part)
        if not days or among == []:
            metrics = [one.column for one in spec.metrics]
            return _as_shown(no_rows(spec).select([*time, *keys, *metrics]), keys)
        sql = report_sql(spec, part, self.files(counted_file(spec, part), days), time)
        return _as_shown(self.engine.table(sql, {} if among is None else {AMONG: among}), keys)

    def files(self, name: str, days: Sequence[date]) -> str:
        """FROM: one kind of landed file of several days, with its `date`."""
        return self.engine.rows([self.landing.path(day, f"{name}.parquet") for day in days])


def counted_file(spec: ReportSpec, part: Part) -> str:
    """The kind of landed file that a part of a report is counted from: the smallest that does."""
    dimensions = {name for name in spec.dimensions if name not in part.without}
    return _file(dimensions, bool(part.parameters))


def ranked_file(spec: ReportSpec) -> str:
    """The same for the values of the last dimension."""
    return _file({spec.dimensions[-1]}, False)


def _file(dimensions: set[str], has_parameters: bool) -> str:
    if dimensions & _ITEMS:
        return "items"
    is_event = has_parameters or dimensions & {"pagePath", PARAMETER_VALUE}
    return "events" if is_event else "counts"


def report_sql(spec: ReportSpec, part: Part, source: str, time: tuple[str, ...] = ("date",)) -> str:
    """One part of a report over `source` (FROM), by day or, without `time`, of all days together.

    Where `spec.top` is set, only values of the last dimension that the parameter `among` lists.
    """
    keys = _keys(spec, part)
    metrics = {one.column: _metric(one.api_name, one.is_integer) for one in spec.metrics}
    conditions = list(_conditions(part))
    if spec.top is not None:
        wanted = f"SELECT value FROM unnest(${AMONG}) AS wanted(value)"
        conditions.append(f"{_COLUMNS[spec.dimensions[-1]]} IN ({wanted})")
    named = [
        f"{sql} AS {column}"
        for column, sql in {**dict.fromkeys(time, "date"), **keys, **metrics}.items()
    ]
    grouped = ", ".join(str(number + 1) for number in range(len(time) + len(keys)))
    return (
        f"SELECT {', '.join(named)} FROM {source} "
        + (f"WHERE {' AND '.join(conditions)} " if conditions else "")
        + (f"GROUP BY {grouped} " if grouped else "")
        + f"HAVING {' OR '.join(f'{column} <> 0' for column in metrics)} "
        + (f"ORDER BY {grouped}" if grouped else "")
    )


def ranking_sql(spec: ReportSpec, source: str) -> str:
    """The `spec.top` values of the last dimension with most sessions over `source` (FROM)."""
    return (
        f"SELECT {_COLUMNS[spec.dimensions[-1]]} AS value, {METRICS['sessions']} AS sessions "
        f"FROM {source} GROUP BY 1 HAVING sessions > 0 ORDER BY sessions DESC, 1 LIMIT {spec.top}"
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


def _keys(spec: ReportSpec, part: Part) -> dict[str, str]:
    """Column → SQL of the dimensions that a part is grouped by."""
    return {snake_case(n): _sql_of(n, part) for n in spec.dimensions if n not in part.without}


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
