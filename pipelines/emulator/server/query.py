"""A checked `Report` → SQL with bound parameters. Nothing here runs it.

Result columns are `d0…` (dimensions), `date_range` and `m0…` (metrics, those of the metric filter
last).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.dates import DateRange
from pipelines.emulator.server.filters import Condition, compile_filter
from pipelines.emulator.server.tables import source
from pipelines.emulator.server.validate import DATE_RANGE, Report

_ORDER_TYPE = ga4.OrderBy.DimensionOrderBy.OrderType
# Text that is no number comes before every number.
_ORDER_SQL = {
    _ORDER_TYPE.NUMERIC: "coalesce(TRY_CAST({0} AS DOUBLE), '-infinity'::DOUBLE)",
    _ORDER_TYPE.CASE_INSENSITIVE_ALPHANUMERIC: "lower({0})",
}


def answer_query(report: Report, hits: str) -> Condition:
    """The whole answer in the order that was asked for: the totals, where they were, of all that
    the dimension filter leaves (without any `d`), and the rows that the other filters leave, too.

    `hits` is the SQL of the events. Totals are counted anew, not added up: a session in two rows is
    one session in the total. One statement, as a small shop's takes longer to be planned than to
    run. Ties have no stable order, as in the API: they depend on the offset, so that a client that
    does not order by every dimension sees rows twice and misses others.
    """
    ranges = [_range_query(report, one, hits) for one in report.date_ranges]
    rows = " UNION ALL ".join(one.sql for one in ranges)
    texts = (f"CAST(k{i} AS VARCHAR) AS d{i}" for i in range(len(_keys(report))))
    shown = ", ".join((*texts, "date_range", *_metric_columns(report)))
    kept = _kept(report)
    return Condition(
        f"FROM (SELECT {shown} FROM ({rows}) WHERE k0 IS NULL OR ({kept.sql})) "
        f"ORDER BY d0 IS NOT NULL, {', '.join(_orders(report))}",
        (*_parameters(ranges), *kept.parameters, report.offset),
    )


def page_columns(report: Report) -> list[str]:
    """The columns of the answer that a page shows, dimensions first."""
    visible = [f"m{report.metrics.index(metric)}" for metric in report.visible_metrics]
    return [*_dimension_columns(report), *visible]


def largest_query(report: Report, hits: str, keys: Sequence[str], count: int) -> Condition:
    """Date and keys of the `count` groups of every date with most events, over all date ranges."""
    matched = _matched(report)
    ranges = " OR ".join("event_date BETWEEN ? AND ?" for _ in report.date_ranges)
    bounds = (day for one in report.date_ranges for day in (one.start, one.end))
    columns = ", ".join(f"{sql} AS k{i}" for i, sql in enumerate(keys))
    names = ", ".join(f"k{i}" for i in range(len(keys)))
    events = source(report.reads_items, hits)
    return Condition(
        f"SELECT date_text, {names} FROM (SELECT date_text, {columns}, count(*) AS size "
        f"FROM {events} WHERE ({ranges}) AND ({matched.sql}) GROUP BY ALL) "
        "QUALIFY row_number() OVER "
        f"(PARTITION BY date_text ORDER BY size DESC, {names}) <= {count}",
        (*bounds, *matched.parameters),
    )


def _range_query(report: Report, one: DateRange, hits: str) -> Condition:
    """The groups of one date range, and their total (whose keys are NULL) where it was asked for.

    Thresholds withhold rows; a total still has what they would have held.
    """
    keys = _keys(report)
    columns = [f"{sql} AS k{i}" for i, sql in enumerate(keys)]
    columns.append("CAST(? AS VARCHAR) AS date_range")
    metrics = (*report.metrics, *report.filter_metrics)
    columns += [f"{metric.sql} AS m{i}" for i, metric in enumerate(metrics)]
    matched = _matched(report)
    rows = f"({', '.join(str(i + 1) for i in range(len(keys)))})"
    sets = f"{rows}, ()" if report.has_totals else rows
    few = f"AND (k0 IS NULL OR count(DISTINCT user_id) >= {report.min_users})"
    return Condition(
        f"SELECT {', '.join(columns)} FROM {source(report.reads_items, hits)} "
        f"WHERE event_date BETWEEN ? AND ? AND ({matched.sql}) GROUP BY GROUPING SETS ({sets}) "
        f"HAVING count(*) > 0 {few if report.min_users else ''}",
        (one.name, one.start, one.end, *matched.parameters),
    )


def _keys(report: Report) -> list[str]:
    """SQL of what rows are grouped by; where nothing is, something that tells them from a total."""
    return [dimension.sql for dimension in report.dimensions] or ["''"]


def _matched(report: Report) -> Condition:
    return compile_filter(
        report.dimension_filter,
        {dimension.api_name: dimension.sql for dimension in _filterable(report)}.__getitem__,
    )


def _filterable(report: Report) -> Iterable[Any]:
    return (*report.dimensions, *report.filter_dimensions)


def _kept(report: Report) -> Condition:
    """What the metric filter leaves; without any metric only where empty rows were asked for."""
    metrics = (*report.metrics, *report.filter_metrics)
    columns = {metric.api_name: f"m{i}" for i, metric in enumerate(metrics)}
    filtered = compile_filter(report.metric_filter, columns.__getitem__)
    if not report.metrics or report.keep_empty_rows:
        return filtered
    non_zero = " OR ".join(f"m{i} <> 0" for i in range(len(report.metrics)))
    return Condition(f"({filtered.sql}) AND ({non_zero})", filtered.parameters)


def _metric_columns(report: Report) -> list[str]:
    return [f"m{i}" for i in range(len(report.metrics) + len(report.filter_metrics))]


def _dimension_columns(report: Report) -> list[str]:
    columns = [f"d{i}" for i in range(len(report.dimensions))]
    return [*columns, "date_range"] if len(report.date_ranges) > 1 else columns


def _orders(report: Report) -> list[str]:
    orders = [_order(report, one) for one in report.order_bys]
    if not orders and report.metrics:
        orders = ["m0 DESC"]
    keys = ", ".join((*_dimension_columns(report), "date_range"))
    return [*orders, f"hash({keys}, ?)"]


def _order(report: Report, order: Any) -> str:
    direction = "DESC" if order.desc else "ASC"
    if order.WhichOneof("one_order_by") == "metric":
        names = [metric.api_name for metric in report.metrics]
        return f"m{names.index(order.metric.metric_name)} {direction}"
    name = order.dimension.dimension_name
    if name == DATE_RANGE:
        return f"date_range {direction}"
    column = f"d{[dimension.api_name for dimension in report.dimensions].index(name)}"
    return f"{_ORDER_SQL.get(order.dimension.order_type, '{0}').format(column)} {direction}"


def _parameters(conditions: Iterable[Condition]) -> tuple[Any, ...]:
    return tuple(value for one in conditions for value in one.parameters)
