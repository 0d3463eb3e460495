"""Reading rows from their encoding gives what reading them by attribute gives, or nothing."""

import pytest
from google.analytics.data_v1beta import types as ga4
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.ga4.decode.protobuf_columns import read_texts

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
    found = read_texts(message, dimensions, metrics)
    assert found is not None
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
def test_a_row_of_another_length_is_left_to_others(odd, place):
    rows = [(["a", "b"], ["1"]), (["c", "d"], ["2"])]
    rows.insert(place, odd)
    assert read_texts(answer(rows), 2, 1) is None


def test_fields_that_nobody_knows_are_left_to_others():
    """A later version of the API may send more than this client's protobuf has."""
    plain = answer([(["a"], ["1"])])
    assert read_texts(plain, 1, 1) is not None
    row = plain.rows[0].SerializeToString()
    for unknown in (b"\x1a\x01x", b"\x18\x05"):
        message = Response()
        message.rows.add().MergeFromString(row + unknown)
        assert read_texts(message, 1, 1) is None
    # In the answer itself they lie beside the rows, where they do no harm, or too far out.
    for unknown, is_read in ((b"\x7a\x01x", True), (b"\x78\x05", True), (b"\xa2\x06\x01x", False),
                             (b"\x79" + bytes(8), False)):  # fmt: skip
        message = Response.FromString(plain.SerializeToString() + unknown)
        assert (read_texts(message, 1, 1) is not None) is is_read


def test_a_value_of_megabytes_is_left_to_others():
    message = answer([(["x" * 2**21], ["1"])])
    assert read_texts(message, 1, 1) is None
    longest = answer([(["x" * (2**21 - 100)], ["1"])])
    found = read_texts(longest, 1, 1)
    assert found is not None
    assert len(found[0][0][0].as_py()) == 2**21 - 100


def test_no_rows():
    found = read_texts(answer([]), 2, 1)
    assert found is not None
    assert [len(one) for part in found for one in part] == [0, 0, 0]
