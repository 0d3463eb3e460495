"""Runs a checked `Report` on a store and puts the response together.

The response is bytes: headers and metadata by protobuf, rows by `wire`.
"""

from __future__ import annotations

from typing import Any

import duckdb
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.admission import Call
from pipelines.emulator.server.errors import invalid_argument
from pipelines.emulator.server.faults.answers import faulty_count, faulty_page, mark_report
from pipelines.emulator.server.filters import Condition
from pipelines.emulator.server.properties import Property
from pipelines.emulator.server.query import (
    extremes_query,
    grouped_query,
    page_query,
    totals_query,
)
from pipelines.emulator.server.validate import DATE_RANGE, Report
from pipelines.emulator.server.wire import RunReportResponse, encode_rows, format_metric

_KIND = "analyticsData#runReport"
# Aggregation → field of the response and the word its dimensions are filled with.
_AGGREGATIONS = {
    ga4.MetricAggregation.TOTAL: ("totals", "RESERVED_TOTAL"),
    ga4.MetricAggregation.MAXIMUM: ("maximums", "RESERVED_MAX"),
    ga4.MetricAggregation.MINIMUM: ("minimums", "RESERVED_MIN"),
}


def run_report(call: Call, report: Report) -> bytes:
    """The answer to one report, encoded and still open for a property quota at its end.

    Raises ApiError when a regular expression in it cannot be read.
    """
    cursor = call.cursor
    try:
        _run(cursor, grouped_query(report), into="answer")
    except duckdb.InvalidInputException as error:
        # User text reaches the database only as values; a regular expression can be wrong.
        reason = str(error).removeprefix("Invalid Input Error: ")
        raise invalid_argument(f"Invalid regular expression: {reason}") from error
    counted = cursor.execute("SELECT count(*) FROM answer").fetchone()
    row_count = counted[0] if counted else 0
    response = _frame(report, call.about, faulty_count(call.effects, row_count))
    if row_count:
        _add_aggregations(cursor, report, response)
    page = page_query(report, "answer")
    table = cursor.execute(page.sql, page.parameters).to_arrow_table()
    names = [one.api_name for one in report.metrics]
    mark_report(cursor, call.effects, response.metadata, names, report.date_ranges)
    rows = encode_rows(faulty_page(call.effects, table), len(response.dimension_headers))
    encoded: bytes = response.SerializeToString()
    return encoded + rows


def _run(cursor: duckdb.DuckDBPyConnection, query: Condition, into: str) -> None:
    cursor.execute(f"CREATE TEMP TABLE {into} AS {query.sql}", query.parameters)


def _frame(report: Report, about: Property, row_count: int) -> Any:
    headers = [one.api_name for one in report.dimensions]
    if len(report.date_ranges) > 1:
        headers.append(DATE_RANGE)
    return RunReportResponse(
        dimension_headers=[{"name": name} for name in headers],
        metric_headers=[
            {"name": one.api_name, "type_": one.type} for one in report.visible_metrics
        ],
        row_count=row_count,
        metadata={"currency_code": about.currency_code, "time_zone": about.time_zone},
        kind=_KIND,
    )


def _add_aggregations(cursor: duckdb.DuckDBPyConnection, report: Report, response: Any) -> None:
    if not report.visible_metrics:
        return
    queries = {
        ga4.MetricAggregation.TOTAL: lambda: totals_query(report),
        ga4.MetricAggregation.MAXIMUM: lambda: extremes_query(report, "answer", "max"),
        ga4.MetricAggregation.MINIMUM: lambda: extremes_query(report, "answer", "min"),
    }
    for aggregation in sorted(report.aggregations):
        field, word = _AGGREGATIONS[aggregation]
        query = queries[aggregation]()
        for name, *values in cursor.execute(query.sql, query.parameters).fetchall():
            getattr(response, field).append(_aggregate_row(report, word, name, values))


def _aggregate_row(report: Report, word: str, date_range: str, values: list[float]) -> Any:
    dimensions = [word] * len(report.dimensions)
    if len(report.date_ranges) > 1:
        dimensions.append(date_range)
    metrics = [values[report.metrics.index(one)] for one in report.visible_metrics]
    return ga4.Row.pb()(
        dimension_values=[{"value": value} for value in dimensions],
        metric_values=[{"value": format_metric(value)} for value in metrics],
    )
