"""Bytes that claim to be an answer: decoded into whole columns, or refused as an audit error.

`python -m tests.fuzz` lets atheris look for such bytes; here they are real answers with some bytes
replaced, the same ones in every run.
"""

import os

import pyarrow as pa
import pytest
from google.analytics.data_v1beta import types as ga4
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.decode.encoded_answer import encoded_answer
from pipelines.ga4.decode.funnel_answer import fill_steps, read_steps, refuse_growth
from pipelines.ga4.decode.protobuf_columns import OddRowsError, read_texts
from pipelines.ga4.decode.report_answer import TEXT, decode, read_quota
from pipelines.ga4.report_spec import ALL, ALL_DEVICES, Metric, ReportSpec
from tests.support.protocol_funnel import FunnelResponse

pytestmark = pytest.mark.slow

Response = ga4.RunReportResponse.pb()
SPEC = ReportSpec("sample", ("deviceCategory",), (Metric("eventCount"), Metric("purchaseRevenue")))
STEPS = 4


def report() -> bytes:
    """An answer with all that a real one has."""
    message = Response(row_count=3)
    for name in ("date", "deviceCategory"):
        message.dimension_headers.add(name=name)
    for name in ("eventCount", "purchaseRevenue"):
        message.metric_headers.add(name=name)
    for texts in (("20260301", "mobile", "12", "1.5"), ("20260301", "tablet", "", "0"),
                  ("20260302", "(other)", "1.2E7", "-3.25")):  # fmt: skip
        row = message.rows.add()
        for text in texts[:2]:
            row.dimension_values.add(value=text)
        for text in texts[2:]:
            row.metric_values.add(value=text)
    total = message.totals.add()
    total.dimension_values.add(value="RESERVED_TOTAL")
    for text in ("12000012", "-1.75"):
        total.metric_values.add(value=text)
    message.metadata.currency_code = "EUR"
    message.metadata.sampling_metadatas.add(samples_read_count=7)
    message.property_quota.tokens_per_day.remaining = 10**9
    return bytes(message.SerializeToString())


def funnel() -> bytes:
    """A funnel by device over two date ranges, with its total."""
    message = FunnelResponse()
    table = message.funnel_table
    for name in ("funnelStepName", "deviceCategory", "dateRange"):
        table.dimension_headers.add(name=name)
    for name in ("activeUsers", "funnelStepCompletionRate") * 2:
        table.metric_headers.add(name=name)
    for device in ("RESERVED_TOTAL", "mobile"):
        for number in range(1, STEPS):
            row = table.rows.add()
            for text in (f"{number}. step", device, f"date_range_{number % 2}"):
                row.dimension_values.add(value=text)
            row.metric_values.add(value=str(10 - number))
            row.metric_values.add(value="0.5")
    return bytes(message.SerializeToString())


def check_report(content: bytes) -> None:
    """Whatever the bytes say, columns are whole, and are what reading by attribute finds."""
    try:
        answer = encoded_answer(content)
    except AuditError:
        return
    read_quota(answer.message)
    counts = len(answer.message.dimension_headers), len(answer.message.metric_headers)
    message = Response()
    try:
        message.ParseFromString(content)
        found = read_texts(answer, *counts)
    except (DecodeError, OddRowsError):
        found = ([], [])
    for columns, field in zip(found, ("dimension_values", "metric_values"), strict=True):
        for place, column in enumerate(columns):
            column.validate(full=True)
            by_attribute = [getattr(row, field)[place].value for row in message.rows]
            assert column.to_pylist() == by_attribute
    try:
        rows = decode(answer, SPEC).rows
    except AuditError as error:
        assert str(error)
        return
    rows.validate(full=True)
    assert rows.schema.types == [TEXT, TEXT, pa.int64(), pa.float64()]
    assert rows.num_rows == len(answer)


def check_funnel(content: bytes) -> None:
    """Whatever the bytes say, a step has a number that there is, once a value and date range."""
    message = FunnelResponse()
    try:
        message.ParseFromString(content)
    except DecodeError:
        return
    for every in (ALL_DEVICES, ALL):
        try:
            names = ("1d", "28d")
            found = read_steps(
                message.funnel_table, "deviceCategory", names, STEPS, "funnel", every
            )
            filled = fill_steps(found, STEPS)
            refuse_growth(filled)
        except AuditError as error:
            assert str(error)
            continue
        filled.validate(full=True)
        assert filled.num_rows == STEPS * len(
            {(row["range_name"], row["value"]) for row in found.to_pylist()}
        )
        assert set(found["number"].to_pylist()) <= set(range(1, STEPS + 1))


def damaged(content: bytes) -> st.SearchStrategy[bytes]:
    """The bytes with some replaced, taken out or put in."""
    place = st.integers(0, len(content))
    edits = st.lists(
        st.tuples(place, st.integers(0, 6), st.binary(max_size=6)), min_size=1, max_size=4
    )

    def apply(edits: list[tuple[int, int, bytes]]) -> bytes:
        result = content
        for start, length, new in edits:
            result = result[:start] + new + result[start + length :]
        return result

    return edits.map(apply)


TEXTS = st.sampled_from([
    "", "0", "-1", "1e400", "nan", "9" * 40, "٣", "1_0", " 7", "2. x", "9. x", "0. x", "99999. x",
    ". x", "RESERVED_TOTAL", "all", "\\all", "(other)", "date_range_0", "date_range_7", "1d",
    "\x00", "💶",
]) | st.text(max_size=8)  # fmt: skip


def with_texts(content: bytes, kind: type) -> st.SearchStrategy[bytes]:
    """The same answer with some of its values replaced by other texts."""

    def apply(edits: list[tuple[int, str]]) -> bytes:
        message = kind()
        message.ParseFromString(content)
        table = getattr(message, "funnel_table", message)
        values = [v for row in table.rows for v in (*row.dimension_values, *row.metric_values)]
        values += [*table.dimension_headers, *table.metric_headers]
        for place, text in edits:
            value = values[place % len(values)]
            setattr(value, "value" if hasattr(value, "value") else "name", text)
        return bytes(message.SerializeToString())

    return st.lists(st.tuples(st.integers(0, 99), TEXTS), min_size=1, max_size=3).map(apply)


@pytest.mark.parametrize(
    ("check", "content", "kind"),
    [(check_report, report(), Response), (check_funnel, funnel(), FunnelResponse)],
)
@settings(max_examples=int(os.environ.get("FUZZ", "80")), derandomize="FUZZ" not in os.environ)
@given(data=st.data())
def test_an_answer_of_any_bytes(check, content, kind, data):
    check(data.draw(st.just(content) | damaged(content) | with_texts(content, kind)))
