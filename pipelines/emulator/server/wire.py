"""Arrow columns → the bytes of a `RunReportResponse`'s rows.

Columns repeat their values, so each distinct value is encoded once, and a row is the bytes of its
values joined: in protobuf, bytes written one after the other are one message. Tags come from the
descriptors. 250,000 rows of four columns take 0.4 s, built as messages one by one 0.7 s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

Row = ga4.Row.pb()
DimensionValue = ga4.DimensionValue.pb()
MetricValue = ga4.MetricValue.pb()
RunReportResponse = ga4.RunReportResponse.pb()
BatchRunReportsResponse = ga4.BatchRunReportsResponse.pb()

_LENGTH_DELIMITED = 2


def format_metric(value: float) -> str:
    """A metric value as the API writes it: 15 digits, or 17 where 15 would lose something.

    Counts and whole numbers have no decimals; `0.47857142857142859`, never Python's shortest form.
    """
    if isinstance(value, int) or value.is_integer():
        return str(int(value))
    short = f"{value:.15g}"
    return short if float(short) == value else f"{value:.17g}"


def encode_rows(table: pa.Table, dimensions: int) -> bytes:
    """The field `rows` of a RunReportResponse: the first columns are dimensions, then metrics."""
    if not table.num_rows:
        return b""
    as_dimension = _value_encoder("dimension_values", DimensionValue)
    as_metric = _value_encoder("metric_values", MetricValue)
    columns = [
        _encode_column(column, str, as_dimension)
        if index < dimensions
        else _encode_column(column, format_metric, as_metric)
        for index, column in enumerate(table.columns)
    ]
    rows = map(b"".join, zip(*columns, strict=True))
    return b"".join(_framed(rows, _tag(RunReportResponse, "rows")))


def encode_batch(reports: Sequence[bytes], kind: str) -> bytes:
    """A BatchRunReportsResponse of encoded RunReportResponses."""
    rest: bytes = BatchRunReportsResponse(kind=kind).SerializeToString()
    return b"".join((*_framed(iter(reports), _tag(BatchRunReportsResponse, "reports")), rest))


def _encode_column(
    column: pa.ChunkedArray, written: Callable[[Any], str], encode: Callable[[str], bytes]
) -> list[bytes]:
    coded = column.combine_chunks().dictionary_encode()
    encoded = np.empty(len(coded.dictionary), dtype=object)
    encoded[:] = [encode(written(value)) for value in coded.dictionary.to_pylist()]
    listed: list[bytes] = encoded[coded.indices.to_numpy()].tolist()
    return listed


def _value_encoder(row_field: str, message: Any) -> Callable[[str], bytes]:
    """Text → one element of that field of a Row, holding a message whose `value` is the text."""
    outer, inner = _tag(Row, row_field), _tag(message, "value")
    prefixes: dict[int, bytes] = {}

    def encode(text: str) -> bytes:
        body = text.encode()
        size = len(body)
        prefix = prefixes.get(size)
        if prefix is None:
            head = inner + _varint(size)
            prefix = prefixes[size] = outer + _varint(len(head) + size) + head
        return prefix + body

    return encode


def _tag(message: Any, field: str) -> bytes:
    number = message.DESCRIPTOR.fields_by_name[field].number
    return bytes([number << 3 | _LENGTH_DELIMITED])


def _framed(bodies: Iterator[bytes], tag: bytes) -> Iterator[bytes]:
    """Each body behind its tag and length."""
    prefixes: dict[int, bytes] = {}
    for body in bodies:
        size = len(body)
        prefix = prefixes.get(size)
        if prefix is None:
            prefix = prefixes[size] = tag + _varint(size)
        yield prefix
        yield body


def _varint(value: int) -> bytes:
    groups = []
    while value > 127:  # noqa: PLR2004 - seven bits a byte, the eighth says "more"
        groups.append(value & 127 | 128)
        value >>= 7
    return bytes([*groups, value])
