"""Encoding of rows: the same bytes protobuf itself would write, and numbers as the API prints."""

import pyarrow as pa
import pytest
from google.analytics.data_v1beta import types as ga4
from hypothesis import given
from hypothesis import strategies as st

from pipelines.emulator.server.wire import encode_batch, encode_rows, format_metric

RESPONSE = ga4.RunReportResponse.pb()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        # Values of Google's own, from a recorded report.
        (1.2209302325581395, "1.2209302325581395"),
        (194.76313766428572, "194.76313766428572"),
        (0.47857142857142859, "0.47857142857142859"),
        (0.42377260981912146, "0.42377260981912146"),
        (0, "0"),
        (12, "12"),
        (12.0, "12"),
        (0.5, "0.5"),
        (10.1, "10.1"),
        (1e15, "1" + "0" * 15),
    ],
)
def test_numbers_are_written_as_the_api_does(value: float, text: str):
    assert format_metric(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_written_numbers_lose_nothing(value: float):
    assert float(format_metric(value)) == value


texts = st.text(max_size=200)  # longer rows need more than one byte for their length
rows = st.lists(st.tuples(texts, texts, st.integers(0, 2**53), st.floats(0, 1e9)), max_size=20)


@given(rows)
def test_encoded_rows_are_what_protobuf_reads_back(given_rows: list[tuple]):
    table = pa.table(
        {
            str(i): pa.array([row[i] for row in given_rows], kind)
            for i, kind in enumerate((pa.string(), pa.string(), pa.int64(), pa.float64()))
        }
    )
    found = RESPONSE.FromString(encode_rows(table, dimensions=2))
    assert [[v.value for v in row.dimension_values] for row in found.rows] == [
        [row[0], row[1]] for row in given_rows
    ]
    assert [[v.value for v in row.metric_values] for row in found.rows] == [
        [str(row[2]), format_metric(row[3])] for row in given_rows
    ]


def test_a_batch_holds_its_reports():
    reports = [
        RESPONSE(row_count=1).SerializeToString(),
        b"",
        RESPONSE(kind="x" * 300).SerializeToString(),
    ]
    batch = ga4.BatchRunReportsResponse.pb().FromString(encode_batch(reports, "kind"))
    assert [one.row_count for one in batch.reports] == [1, 0, 0]
    assert (len(batch.reports[2].kind), batch.kind) == (300, "kind")
