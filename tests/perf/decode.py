"""One answer of 250,000 rows into Arrow columns: raw protobuf against a proto-plus row loop."""

from collections.abc import Iterator
from typing import Any

import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.decode.encoded_answer import encoded_answer
from pipelines.ga4.decode.report_answer import decode
from pipelines.ga4.report_catalog import EVENT_METRICS, ReportSpec
from tests.perf.compare import Comparison, compare

ROWS = 250_000
SPEC = ReportSpec("bench", ("eventName", "pagePath"), EVENT_METRICS)


def _answer() -> ga4.RunReportResponse:
    message = ga4.RunReportResponse.pb(ga4.RunReportResponse())
    for name in ("date", *SPEC.dimensions):
        message.dimension_headers.add().name = name
    for metric in SPEC.metrics:
        message.metric_headers.add().name = metric.api_name
    for number in range(ROWS):
        row = message.rows.add()
        for text in ("20260101", f"event_{number % 40}", f"/page/{number}"):
            row.dimension_values.add().value = text
        for value in (number % 1000, number % 300):
            row.metric_values.add().value = str(value)
    message.row_count = ROWS
    return ga4.RunReportResponse.wrap(message)


def records(answer: Any) -> Iterator[dict[str, Any]]:
    """Rows of a report, one by one: of a proto-plus message, or of the raw one in it."""
    names = [header.name for header in answer.dimension_headers]
    metrics = [header.name for header in answer.metric_headers]
    for row in answer.rows:
        record: dict[str, Any] = {
            name: value.value for name, value in zip(names, row.dimension_values, strict=True)
        }
        for name, value in zip(metrics, row.metric_values, strict=True):
            record[name] = int(value.value)
        yield record


def decode_against_proto_plus() -> Comparison:
    answer = _answer()
    content = ga4.RunReportResponse.serialize(answer)
    return compare(
        f"decode {ROWS:,} rows from their bytes, against the proto-plus loop over parsed ones",
        lambda: assert_rows(decode(encoded_answer(content), SPEC).rows),
        lambda: assert_rows(pa.Table.from_pylist(list(records(answer)))),
        rounds=3,
        target="at least 8 times as fast",
    )


def assert_rows(table: pa.Table) -> None:
    assert table.num_rows == ROWS
