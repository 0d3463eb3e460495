"""Runs a checked `Report` on a store and puts the response together.

The response is bytes: headers and metadata by protobuf, rows by `wire`.
"""

from __future__ import annotations

from typing import Any

import duckdb
import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.admission import Call
from pipelines.emulator.server.errors import invalid_argument
from pipelines.emulator.server.faults.answers import faulty_count, faulty_page, mark_report
from pipelines.emulator.server.properties import Property
from pipelines.emulator.server.query import answer_query, page_columns
from pipelines.emulator.server.validate import DATE_RANGE, Report
from pipelines.emulator.server.wire import RunReportResponse, encode_rows, format_metric

_KIND = "analyticsData#runReport"
# Aggregation → field of the response, the word its dimensions are filled with, and what makes it of
# the rows; a total is none of rows.
_AGGREGATIONS = {
    ga4.MetricAggregation.TOTAL: ("totals", "RESERVED_TOTAL", ""),
    ga4.MetricAggregation.MAXIMUM: ("maximums", "RESERVED_MAX", "max"),
    ga4.MetricAggregation.MINIMUM: ("minimums", "RESERVED_MIN", "min"),
}


def run_report(call: Call, report: Report) -> bytes:
    """The answer to one report, encoded and still open for a property quota at its end.

    Raises ApiError when a regular expression in it cannot be read.
    """
    query = answer_query(report, call.hits)
    try:
        answer = call.cursor.execute(query.sql, query.parameters).to_arrow_table()
    except duckdb.InvalidInputException as error:
        # User text reaches the database only as values; a regular expression can be wrong.
        reason = str(error).removeprefix("Invalid Input Error: ")
        raise invalid_argument(f"Invalid regular expression: {reason}") from error
    totals = answer.slice(0, answer["d0"].null_count)
    rows = answer.slice(totals.num_rows)
    response = _frame(report, call.about, faulty_count(call.effects, rows.num_rows))
    if rows.num_rows:
        _add_aggregations(report, totals, rows, response)
    names = [one.api_name for one in report.metrics]
    mark_report(call.cursor, call.effects, response.metadata, names, report.date_ranges)
    page = rows.select(page_columns(report)).slice(report.offset, report.limit)
    encoded: bytes = response.SerializeToString()
    return encoded + encode_rows(faulty_page(call.effects, page), len(response.dimension_headers))


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


def _add_aggregations(report: Report, totals: pa.Table, rows: pa.Table, response: Any) -> None:
    """One row per aggregation and date range."""
    if not report.visible_metrics:
        return
    names = [one.name for one in report.date_ranges]
    for aggregation in sorted(report.aggregations):
        field, word, function = _AGGREGATIONS[aggregation]
        columns = [f"m{report.metrics.index(one)}" for one in report.visible_metrics]
        found = totals
        if function:
            found = rows.group_by("date_range").aggregate([(name, function) for name in columns])
            columns = [f"{name}_{function}" for name in columns]
        for row in sorted(found.to_pylist(), key=lambda row: names.index(row["date_range"])):
            values = [row[name] for name in columns]
            getattr(response, field).append(_aggregate_row(report, word, row["date_range"], values))


def _aggregate_row(report: Report, word: str, date_range: str, values: list[float]) -> Any:
    dimensions = [word] * len(report.dimensions)
    if len(report.date_ranges) > 1:
        dimensions.append(date_range)
    return ga4.Row.pb()(
        dimension_values=[{"value": value} for value in dimensions],
        metric_values=[{"value": format_metric(value)} for value in values],
    )
