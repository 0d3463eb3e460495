"""Protobuf answers become typed columns, by the names in their headers."""

import math

import pyarrow as pa
import pytest
from google.analytics.data_v1beta import types as ga4
from hypothesis import given
from hypothesis import strategies as st

from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.decode import report_answer
from pipelines.ga4.decode.encoded_answer import encoded_answer
from pipelines.ga4.decode.report_answer import TEXT, Flags, Page, empty_rows
from pipelines.ga4.report_spec import PARAMETER_VALUE, Metric, Part, ReportSpec

Response = ga4.RunReportResponse.pb()
SPEC = ReportSpec(
    "sample",
    ("deviceCategory",),
    (Metric("eventCount"), Metric("purchaseRevenue")),
)
SCHEMA = pa.schema(
    {
        "date": TEXT,
        "device_category": TEXT,
        "event_count": pa.int64(),
        "purchase_revenue": pa.float64(),
    }
)


def answer(rows, dimensions=("date", "deviceCategory"), metrics=("eventCount", "purchaseRevenue")):
    """A response with `rows` of (dimension texts, metric texts)."""
    message = Response(row_count=len(rows))
    for name in dimensions:
        message.dimension_headers.add(name=name)
    for name in metrics:
        message.metric_headers.add(name=name)
    for texts, numbers in rows:
        row = message.rows.add()
        for text in texts:
            row.dimension_values.add(value=text)
        for number in numbers:
            row.metric_values.add(value=number)
    return message


def decode(message, *asked) -> Page:
    return report_answer.decode(encoded_answer(message.SerializeToString()), *asked)


def one_metric(text: str, place: int = 0):
    numbers = ["1", "1"]
    numbers[place] = text
    return answer([(("20260301", "mobile"), numbers)])


def test_columns_follow_the_names_not_the_places():
    message = answer(
        [(("tablet", "20260301", "extra"), ("9", "1.5", "7"))],
        dimensions=("deviceCategory", "date", "country"),
        metrics=("sessions", "purchaseRevenue", "eventCount"),
    )
    rows = decode(message, SPEC).rows
    assert rows.schema == SCHEMA
    assert rows.to_pylist() == [
        {
            "date": "20260301",
            "device_category": "tablet",
            "event_count": 7,
            "purchase_revenue": 1.5,
        }
    ]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("0", 0), ("12", 12), ("12.0", 12), ("1.2E7", 12_000_000), ("", 0), ("-3", -3),
        ("9007199254740993", 9_007_199_254_740_993),
    ],
)  # fmt: skip
def test_integers(text, number):
    assert decode(one_metric(text), SPEC).rows["event_count"].to_pylist() == [number]


@pytest.mark.parametrize(
    ("text", "number"), [("0", 0.0), ("12.5", 12.5), ("1.25E3", 1250.0), ("", 0.0), ("-0.1", -0.1)]
)
def test_floats(text, number):
    assert decode(one_metric(text, 1), SPEC).rows["purchase_revenue"].to_pylist() == [number]


@given(st.lists(st.tuples(st.integers(0, 2**62), st.floats(0, 1e15)), max_size=20))
def test_whole_columns_keep_their_values(values):
    message = answer([(("20260301", "m"), (str(whole), repr(real))) for whole, real in values])
    rows = decode(message, SPEC).rows
    assert rows["event_count"].to_pylist() == [whole for whole, _ in values]
    assert rows["purchase_revenue"].to_pylist() == [real for _, real in values]


@given(st.lists(st.text(st.characters(blacklist_categories=("Cs",))), min_size=1, max_size=20))
def test_dimension_values_stay_as_they_came(texts):
    message = answer([(("20260301", text), ("1", "1")) for text in texts])
    assert decode(message, SPEC).rows["device_category"].to_pylist() == texts


@pytest.mark.parametrize(
    ("text", "place"), [("many", 0), ("nan", 0), ("inf", 0), ("1e30", 0), ("many", 1), ("1,5", 1)]
)
def test_a_metric_that_is_no_number_is_refused(text, place):
    with pytest.raises(AuditError, match="sample"):
        decode(one_metric(text, place), SPEC)


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-inf"])
def test_not_a_number_is_no_number_for_money_either(text):
    with pytest.raises(AuditError, match="sample"):
        decode(one_metric(text, 1), SPEC)


def test_a_missing_field_is_named():
    message = answer([(("20260301",), ("1", "1"))], dimensions=("date",))
    with pytest.raises(AuditError, match=r"sample lacks the field deviceCategory"):
        decode(message, SPEC)
    message = answer([(("20260301", "m"), ("1",))], metrics=("eventCount",))
    with pytest.raises(AuditError, match=r"sample lacks the field purchaseRevenue"):
        decode(message, SPEC)


def test_a_row_shorter_than_its_headers_is_refused():
    message = answer([(("20260301", "m"), ("1", "1")), (("20260302", "m"), ("1",))])
    with pytest.raises(AuditError, match="sample"):
        decode(message, SPEC)


def test_an_empty_answer_without_headers_has_no_rows():
    page = decode(Response(), SPEC)
    assert page.rows.schema == SCHEMA
    assert page.rows.num_rows == page.row_count == 0
    assert empty_rows(SPEC).schema == SCHEMA


def test_an_empty_answer_with_headers_has_no_rows():
    page = decode(answer([]), SPEC)
    assert page.rows.schema == SCHEMA
    assert page.rows.num_rows == 0


def test_flags_quota_and_totals():
    message = answer([(("20260301", "m"), ("3", "2.5"))])
    message.row_count = 7
    total = message.totals.add()
    for text in ("30", "12.25"):
        total.metric_values.add(value=text)
    message.metadata.currency_code = "NZD"
    message.metadata.time_zone = "Pacific/Auckland"
    message.metadata.subject_to_thresholding = True
    message.metadata.data_loss_from_other_row = True
    message.metadata.empty_reason = "kept for empty answers only"
    message.metadata.sampling_metadatas.add(samples_read_count=1, sampling_space_size=2)
    message.property_quota.tokens_per_hour.consumed = 3
    message.property_quota.tokens_per_hour.remaining = 39_997
    page = decode(message, SPEC)
    assert page.row_count == 7
    assert page.totals == {"event_count": 30.0, "purchase_revenue": 12.25}
    assert page.flags == Flags(True, True, True, "", "NZD", "Pacific/Auckland")
    assert page.quota == {"tokens_per_hour": (3, 39_997)}


def test_a_total_that_is_no_number_is_none():
    """It only proves something about the rows, and is stored nowhere."""
    message = answer([(("20260301", "m"), ("3", "2.5"))])
    total = message.totals.add()
    for text in ("thirty", "12.25"):
        total.metric_values.add(value=text)
    assert decode(message, SPEC).totals == {"purchase_revenue": 12.25}


@pytest.mark.parametrize(
    ("text", "number", "is_rounded"),
    [
        ("12.25", 12, True), ("12.5", 13, True), ("-0.5", -1, True), ("0.4", 0, True),
        ("12.0", 12, False), ("1.2E7", 12_000_000, False), ("-0", 0, False), ("-0.0", 0, False),
        ("9007199254740993", 2**53 + 1, False), ("", 0, False),
    ],
)  # fmt: skip
def test_counts_come_in_any_form(text, number, is_rounded):
    page = decode(one_metric(text, 0), SPEC)
    assert page.rows["event_count"].to_pylist() == [number]
    assert page.flags.rounded_metrics == (("eventCount",) if is_rounded else ())


def test_rounded_metrics_of_pages_are_joined():
    joined = Flags(rounded_metrics=("b",)).joined(Flags(rounded_metrics=("a", "b")))
    assert joined.rounded_metrics == ("a", "b")


def test_an_empty_reason_is_kept():
    message = Response()
    message.metadata.empty_reason = "NO_DATA"
    assert decode(message, SPEC).flags.empty_reason == "NO_DATA"


def test_without_totals_there_are_none():
    page = decode(answer([(("20260301", "m"), ("3", "2.5"))]), SPEC)
    assert page.totals == {}
    assert page.flags == Flags()
    assert math.isclose(page.rows["purchase_revenue"][0].as_py(), 2.5)


def test_flags_of_pages_are_joined():
    first = Flags(is_sampled=True, currency="EUR", time_zone="UTC")
    second = Flags(has_other_row=True, currency="USD")
    assert first.joined(second) == Flags(True, False, True, "", "USD", "UTC")


def test_a_restricted_metric_and_a_truncation_are_told():
    message = answer([(("20260301", "m"), ("3", "0"))])
    restriction = message.metadata.schema_restriction_response
    restriction.active_metric_restrictions.add(metric_name="purchaseRevenue")
    message.metadata.data_truncation_reasons.add(
        data_truncation_type=8,
        data_truncation_date="2024-11-20",
        data_truncation_message="Older data is gone.",
    )
    message.metadata.data_truncation_reasons.add(data_truncation_type=3)
    flags = decode(message, SPEC).flags
    assert flags.restricted_metrics == ("purchaseRevenue",)
    known = ga4.ResponseMetaData.DataTruncationReason.DataTruncationType
    names = [known(number).name.removeprefix("DATA_TRUNCATION_TYPE_") for number in (8, 3)]
    assert flags.truncation == f"{names[0]} 2024-11-20 Older data is gone.; {names[1]}"


def test_restrictions_of_pages_are_joined():
    first = Flags(restricted_metrics=("b",), truncation="x")
    assert first.joined(Flags(restricted_metrics=("a", "b"))) == Flags(
        restricted_metrics=("a", "b"), truncation="x"
    )


def test_the_answer_to_a_part_has_that_parts_fields():
    spec = ReportSpec("params", ("eventName", PARAMETER_VALUE), SPEC.metrics[:1])
    message = answer(
        [(("20260301", "scroll", "75"), ("4",))],
        dimensions=("date", "eventName", "customEvent:percent"),
        metrics=("eventCount",),
    )
    assert decode(message, spec, Part(parameter="percent")).rows.to_pylist() == [
        {"date": "20260301", "event_name": "scroll", "parameter_value": "75", "event_count": 4}
    ]
