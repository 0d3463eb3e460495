"""Reading rows from their encoding gives what reading them by attribute gives, or nothing."""

import pytest
from google.analytics.data_v1beta import types as ga4
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ga4.api_errors import AuditError, LargePageError
from pipelines.ga4.decode.encoded_answer import encoded_answer
from pipelines.ga4.decode.protobuf_columns import OddRowsError, read_texts

Response = ga4.RunReportResponse.pb()
# Lengths around the borders of one, two and three bytes of varint, and text that is not ASCII.
TEXTS = st.one_of(
    st.text(max_size=5),
    st.sampled_from(["", "x" * 123, "y" * 127, "ü" * 64, "z" * 16_383, "w" * 16_400, "(other)"]),
)


def answer(rows, *, is_decorated=False):
    """A response with (dimension texts, metric texts) rows; None is a value without a text."""
    message = Response(row_count=len(rows), kind="analyticsData#runReport")
    for dimensions, metrics in rows:
        row = message.rows.add()
        for values, texts in ((row.dimension_values, dimensions), (row.metric_values, metrics)):
            for text in texts:
                value = values.add()
                if text is not None:
                    value.value = text
    if is_decorated:
        message.metadata.time_zone = "Europe/Berlin"
        message.totals.add().dimension_values.add(value="RESERVED_TOTAL")
        message.property_quota.tokens_per_day.remaining = 10**9
        message.row_count = 2**31 - 1
    return message


def read(message, dimensions, metrics):
    return read_texts(encoded_answer(message.SerializeToString()), dimensions, metrics)


def by_attribute(message, dimensions, metrics):
    """The same, value by value."""
    return (
        [[row.dimension_values[n].value for row in message.rows] for n in range(dimensions)],
        [[row.metric_values[n].value for row in message.rows] for n in range(metrics)],
    )


@settings(max_examples=150)
@given(st.data(), st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_every_text_is_where_attributes_find_it(data, dimensions, metrics, is_decorated):
    row = st.tuples(
        st.lists(st.none() | TEXTS, min_size=dimensions, max_size=dimensions),
        st.lists(st.none() | TEXTS, min_size=metrics, max_size=metrics),
    )
    message = answer(data.draw(st.lists(row, max_size=6)), is_decorated=is_decorated)
    found = read(message, dimensions, metrics)
    for columns in found:
        for column in columns:
            column.validate(full=True)
    assert tuple([one.to_pylist() for one in part] for part in found) == by_attribute(
        message, dimensions, metrics
    )


@pytest.mark.parametrize(
    "odd",
    [
        (["a"], ["1"]),
        (["a", "b", "c"], ["1"]),
        (["a", "b"], []),
        (["a", "b"], ["1", "2"]),
        ([], ["1", "2", "3"]),
        ([], []),
    ],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_row_of_another_length_is_refused(odd, place):
    rows = [(["a", "b"], ["1"]), (["c", "d"], ["2"])]
    rows.insert(place, odd)
    with pytest.raises(OddRowsError):
        read(answer(rows), 2, 1)


@pytest.mark.parametrize("unknown", [b"\x1a\x01x", b"\x18\x05"])
def test_fields_of_a_row_that_nobody_knows_are_left_out(unknown):
    """A later version of the API may send more than this client's protobuf has."""
    plain = answer([(["a"], ["1"])])
    row = plain.rows[0].SerializeToString() + unknown
    odd = encoded_answer(Response().SerializeToString() + b"\x1a" + bytes([len(row)]) + row)
    with pytest.raises(OddRowsError):
        read_texts(odd, 1, 1)
    found = read_texts(odd.plain(), 1, 1)
    assert [column.to_pylist() for (column,) in found] == [["a"], ["1"]]


@pytest.mark.parametrize(
    "unknown", [b"\x7a\x01x", b"\x78\x05", b"\xa2\x06\x01x", b"\x79" + bytes(8), b"\x7d" + bytes(4)]
)
def test_fields_beside_the_rows_that_nobody_knows_do_no_harm(unknown):
    found = encoded_answer(answer([(["a"], ["1"])]).SerializeToString() + unknown)
    assert [column.to_pylist() for (column,) in read_texts(found, 1, 1)] == [["a"], ["1"]]


@pytest.mark.parametrize(
    "content", [b"\x1a", b"\x1a\x05a", b"\x1b", b"\xff" * 20, b"\x0a\x05abcde", b"\x79\x00"]
)
def test_bytes_that_are_no_answer_are_refused(content):
    with pytest.raises(AuditError, match="no answer"):
        encoded_answer(content)


def test_unusual_rows_are_read_in_small_answers_only():
    """As objects they would take ten times as much memory as their bytes."""
    row = b"\x1a\x06\x0a\x02\x0a\x00\x18\x05"
    assert len(encoded_answer(row * 1_000).plain()) == 1_000
    with pytest.raises(LargePageError, match="unusual"):
        encoded_answer(row * 250_000 + b"\x7a\x03xyz" * 40_000).plain()


@pytest.mark.parametrize("length", [b"\x7f", b"\xff\xff\xff\x7f"])
def test_a_value_that_is_longer_than_its_row_is_never_looked_up(length):
    """As text it would be memory of others."""
    row = b"\x0a" + length + b"\x0a" + length
    odd = encoded_answer(b"\x1a" + bytes([len(row)]) + row)
    with pytest.raises(OddRowsError):
        read_texts(odd, 1, 0)
    with pytest.raises(AuditError, match="no answer"):
        odd.plain()


def test_a_value_of_megabytes_is_read():
    (found,), _ = read(answer([(["x" * 2**21], ["1"])]), 1, 1)
    assert len(found[0].as_py()) == 2**21


def test_no_rows():
    found = read(answer([]), 2, 1)
    assert [len(one) for part in found for one in part] == [0, 0, 0]
