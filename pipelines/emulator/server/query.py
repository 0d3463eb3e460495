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


def grouped_query(report: Report) -> Condition:
    """All rows of the answer, unordered: what the date ranges, filters and grouping leave."""
    ranges = [_range_query(report, one, grouped=True) for one in report.date_ranges]
    metrics = (*report.metrics, *report.filter_metrics)
    kept = [_metric_condition(report)]
    if report.metrics and not report.keep_empty_rows:
        non_zero = " OR ".join(f"m{i} <> 0" for i in range(len(report.metrics)))
        kept.append(Condition(f"({non_zero})"))
    where = _all_of(kept)
    rows = " UNION ALL ".join(one.sql for one in ranges)
    texts = (f"CAST(d{i} AS VARCHAR) AS d{i}" for i in range(len(report.dimensions)))
    shown = ", ".join((*texts, "date_range", *(f"m{i}" for i in range(len(metrics)))))
    return Condition(
        f"SELECT {shown} FROM ({rows}) WHERE {where.sql}",
        (*_parameters(ranges), *where.parameters),
    )


def totals_query(report: Report) -> Condition:
    """One row per date range: the metrics over all rows the dimension filter leaves.

    Counted anew, not added up: a session in two rows is one session in the total.
    """
    ranges = [_range_query(report, one, grouped=False) for one in report.date_ranges]
    return Condition(" UNION ALL ".join(one.sql for one in ranges), _parameters(ranges))


def extremes_query(report: Report, table: str, function: str) -> Condition:
    """`min` or `max` of every metric over the rows of the answer, per date range."""
    values = [f"{function}(m{i}) AS m{i}" for i in range(len(report.metrics))]
    columns = ", ".join(("date_range", *values))
    return Condition(f"SELECT {columns} FROM {table} GROUP BY date_range ORDER BY date_range")


def page_query(report: Report, table: str) -> Condition:
    """One page of the answer, in the order that was asked for.

    Ties have no stable order, as in the API: they depend on the offset, so that a client that
    does not order by every dimension sees rows twice and misses others.
    """
    shown = [*_dimension_columns(report), *_visible_columns(report)]
    orders = [_order(report, one) for one in report.order_bys]
    if not orders and report.metrics:
        orders = ["m0 DESC"]
    keys = ", ".join((*_dimension_columns(report), "date_range"))
    orders.append(f"hash({keys}, ?)")
    return Condition(
        f"SELECT {', '.join(shown)} FROM {table} ORDER BY {', '.join(orders)} LIMIT ? OFFSET ?",
        (report.offset, report.limit, report.offset),
    )


def largest_query(report: Report, keys: Sequence[str], count: int) -> Condition:
    """Date and keys of the `count` groups of every date with most events, over all date ranges."""
    matched = _matched(report)
    ranges = " OR ".join("event_date BETWEEN ? AND ?" for _ in report.date_ranges)
    bounds = (day for one in report.date_ranges for day in (one.start, one.end))
    columns = ", ".join(f"{sql} AS k{i}" for i, sql in enumerate(keys))
    names = ", ".join(f"k{i}" for i in range(len(keys)))
    return Condition(
        f"SELECT date_text, {names} FROM (SELECT date_text, {columns}, count(*) AS size "
        f"FROM {source(report.reads_items)} WHERE ({ranges}) AND ({matched.sql}) GROUP BY ALL) "
        "QUALIFY row_number() OVER "
        f"(PARTITION BY date_text ORDER BY size DESC, {names}) <= {count}",
        (*bounds, *matched.parameters),
    )


def _range_query(report: Report, one: DateRange, grouped: bool) -> Condition:
    """The rows of one date range, or (not `grouped`) their total under one roof."""
    dimensions = report.dimensions if grouped else ()
    columns = [f"{dimension.sql} AS d{i}" for i, dimension in enumerate(dimensions)]
    columns.append("CAST(? AS VARCHAR) AS date_range")
    metrics = (*report.metrics, *report.filter_metrics)
    columns += [f"{metric.sql} AS m{i}" for i, metric in enumerate(metrics)]
    matched = _matched(report)
    # Thresholds withhold rows; a total still has what they would have held.
    is_thresholded = grouped and report.min_users
    few = f" AND count(DISTINCT user_id) >= {report.min_users}" if is_thresholded else ""
    by = f"GROUP BY {', '.join(str(i + 1) for i in range(len(dimensions)))}" if dimensions else ""
    return Condition(
        f"SELECT {', '.join(columns)} FROM {source(report.reads_items)} "
        f"WHERE event_date BETWEEN ? AND ? AND ({matched.sql}) {by} "
        f"HAVING count(*) > 0{few}",
        (one.name, one.start, one.end, *matched.parameters),
    )


def _matched(report: Report) -> Condition:
    return compile_filter(
        report.dimension_filter,
        {dimension.api_name: dimension.sql for dimension in _filterable(report)}.__getitem__,
    )


def _filterable(report: Report) -> Iterable[Any]:
    return (*report.dimensions, *report.filter_dimensions)


def _metric_condition(report: Report) -> Condition:
    metrics = (*report.metrics, *report.filter_metrics)
    columns = {metric.api_name: f"m{i}" for i, metric in enumerate(metrics)}
    return compile_filter(report.metric_filter, columns.__getitem__)


def _dimension_columns(report: Report) -> list[str]:
    columns = [f"d{i}" for i in range(len(report.dimensions))]
    return [*columns, "date_range"] if len(report.date_ranges) > 1 else columns


def _visible_columns(report: Report) -> list[str]:
    return [f"m{report.metrics.index(metric)}" for metric in report.visible_metrics]


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


def _all_of(conditions: Iterable[Condition]) -> Condition:
    listed = list(conditions)
    return Condition(" AND ".join(f"({one.sql})" for one in listed), _parameters(listed))


def _parameters(conditions: Iterable[Condition]) -> tuple[Any, ...]:
    return tuple(value for one in conditions for value in one.parameters)
