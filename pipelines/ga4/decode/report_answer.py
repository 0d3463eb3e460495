"""Protobuf answers → typed Arrow columns. The only place that reads rows of an answer.

Texts are dictionaries page by page: a report has many rows and few values.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.api_errors import AuditError
from pipelines.ga4.decode.encoded_answer import EncodedAnswer
from pipelines.ga4.decode.protobuf_columns import OddRowsError, read_texts
from pipelines.ga4.report_spec import Part, ReportSpec
from pipelines.wording import redacted, shortened

OTHER = "(other)"
# Nothing in GA4 is longer than the 1,000 characters of a page's address (docs/ga4.md).
MOST_CHARACTERS = 2_000
# A request has up to 9 dimensions, which GA4 adds the date range to, and 10 metrics.
MOST_FIELDS = 20
# Texts as `decode` gives them: each chunk has its own different ones.
TEXT = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True)
class Flags:
    """What an answer says about its own completeness. Flags of pages and parts are joined.

    `restricted_metrics`: API names of metrics that these credentials may not see; GA4 sends
    zeros for them. `truncation`: why GA4 left data out, '' when it did not. `rounded_metrics`:
    API names of counts that came with fractions, as scaled ones do.
    """

    is_sampled: bool = False
    is_thresholded: bool = False
    has_other_row: bool = False
    empty_reason: str = ""
    currency: str = ""
    time_zone: str = ""
    restricted_metrics: tuple[str, ...] = ()
    truncation: str = ""
    rounded_metrics: tuple[str, ...] = ()

    def joined(self, other: Flags) -> Flags:
        """Either's flags; texts of the later answer win where it has any."""
        return Flags(
            self.is_sampled or other.is_sampled,
            self.is_thresholded or other.is_thresholded,
            self.has_other_row or other.has_other_row,
            other.empty_reason or self.empty_reason,
            other.currency or self.currency,
            other.time_zone or self.time_zone,
            tuple(sorted({*self.restricted_metrics, *other.restricted_metrics})),
            other.truncation or self.truncation,
            tuple(sorted({*self.rounded_metrics, *other.rounded_metrics})),
        )


@dataclass(frozen=True)
class Page:
    """One decoded answer.

    `rows`: columns `date` (as sent) and the spec's dimensions (`TEXT`), metrics (int64 or double).
    `row_count`: what the server says all pages together hold. `totals`: metric column →
    server-side total, where it sent one.
    """

    rows: pa.Table
    row_count: int
    totals: dict[str, float] = field(default_factory=dict)
    flags: Flags = field(default_factory=Flags)
    quota: dict[str, tuple[int, int]] = field(default_factory=dict)


def decode(answer: EncodedAnswer, spec: ReportSpec, part: Part | None = None) -> Page:
    """Read one answer by the names in its headers.

    Raises AuditError when a requested field is missing or a metric is not a number, and
    LargePageError when fewer rows at a time may be read.
    """
    part, message = part or Part(), answer.message
    dimensions = [header.name for header in message.dimension_headers]
    metrics = [header.name for header in message.metric_headers]
    if not len(answer) and not dimensions and not metrics:
        return _page(message, empty_rows(spec, part), {})
    by_dimension, by_metric = _texts_of(answer, len(dimensions), len(metrics), spec.name)
    columns = {
        column: _different(by_dimension[place_of(name, dimensions, spec.name)], spec.name)
        for name, column in spec.fields(part).items()
    }
    for column in spec.value_columns(part):
        values = each_text(columns[column], shortened_texts)
        # Visitors can write the word: it is GA4's own where GA4 says that it folded rows.
        is_folded = message.metadata.data_loss_from_other_row
        columns[column] = values if is_folded else each_text(values, partial(apart_from, OTHER))
    totals: dict[str, float] = {}
    rounded: list[str] = []
    for metric in spec.metrics:
        place = place_of(metric.api_name, metrics, spec.name)
        if metric.is_integer:
            columns[metric.column], has_fractions = counts(by_metric[place], spec.name)
            rounded += [metric.api_name] if has_fractions else []
        else:
            columns[metric.column] = numbers(by_metric[place], spec.name)
        total = _total(message, place)
        if total is not None:
            totals[metric.column] = total
    return _page(message, pa.table(columns), totals, rounded)


def empty_rows(spec: ReportSpec, part: Part | None = None) -> pa.Table:
    """No rows, with the columns that `decode` gives."""
    names = spec.fields(part or Part()).values()
    kinds = {
        metric.column: pa.array([], pa.int64() if metric.is_integer else pa.float64())
        for metric in spec.metrics
    }
    return pa.table({**{name: pa.array([], TEXT) for name in names}, **kinds})


def _total(message: Any, place: int) -> float | None:
    """The server's total of a metric; None where it sent none, or one that is no number."""
    if not message.totals or place >= len(message.totals[0].metric_values):
        return None
    try:
        total = float(message.totals[0].metric_values[place].value or 0)
    except ValueError:
        return None
    return total if math.isfinite(total) else None


def _page(
    message: Any, rows: pa.Table, totals: dict[str, float], rounded: Sequence[str] = ()
) -> Page:
    metadata = message.metadata
    reason = _said(metadata.empty_reason) if rows.num_rows == 0 else ""
    flags = Flags(
        is_sampled=len(metadata.sampling_metadatas) > 0,
        is_thresholded=metadata.subject_to_thresholding,
        has_other_row=metadata.data_loss_from_other_row,
        empty_reason=reason,
        currency=metadata.currency_code,
        time_zone=metadata.time_zone,
        restricted_metrics=tuple(
            sorted(
                one.metric_name
                for one in metadata.schema_restriction_response.active_metric_restrictions
            )
        ),
        truncation=_said("; ".join(_truncation(one) for one in metadata.data_truncation_reasons)),
        rounded_metrics=tuple(rounded),
    )
    return Page(rows, message.row_count, totals, flags, read_quota(message))


def _said(words: str) -> str:
    return shortened(redacted(words))


def read_quota(message: Any) -> dict[str, tuple[int, int]]:
    """Name of the quota → (consumed by this request, remaining)."""
    return {
        one.name: (status.consumed, status.remaining)
        for one, status in message.property_quota.ListFields()
    }


def _truncation(reason: Any) -> str:
    """GA4's kind of truncation, the first date it concerns, and Google's words."""
    known = reason.DESCRIPTOR.fields_by_name["data_truncation_type"].enum_type.values_by_number
    kind = known.get(reason.data_truncation_type)
    name = kind.name.removeprefix("DATA_TRUNCATION_TYPE_") if kind else ""
    parts = (name, reason.data_truncation_date, reason.data_truncation_message)
    return " ".join(part for part in parts if part)


def _texts_of(
    answer: EncodedAnswer, dimensions: int, metrics: int, report: str
) -> tuple[list[pa.Array], list[pa.Array]]:
    """All values of all rows by their place; what is not encoded plainly is encoded anew first."""
    if dimensions + metrics > MOST_FIELDS:
        raise AuditError(f"The answer to the report {report} has {dimensions + metrics} fields.")
    try:
        return read_texts(answer, dimensions, metrics)
    except OddRowsError:
        pass
    try:
        return read_texts(answer.plain(), dimensions, metrics)
    except OddRowsError as error:
        raise AuditError(
            f"The answer to the report {report} has a row without all its fields."
        ) from error


def _different(values: pa.Array, report: str) -> pa.DictionaryArray:
    """The same as `TEXT`; AuditError for what is no UTF-8."""
    found = values.dictionary_encode()
    try:
        found.dictionary.validate(full=True)
    except pa.ArrowInvalid as error:
        raise AuditError(f"The answer to the report {report} holds what is no text.") from error
    return found


def place_of(name: str, headers: Sequence[str], report: str) -> int:
    """Where a field stands in every row; AuditError when the answer lacks it."""
    try:
        return headers.index(name)
    except ValueError as error:
        raise AuditError(
            f"The answer to the report {report} lacks the field {name}; it has {list(headers)}."
        ) from error


def texts(rows: Sequence[Any], place: int, report: str) -> pa.Array:
    """The values at `place` of all rows; AuditError when a row is too short."""
    try:
        return pa.array([values[place].value for values in rows], pa.string())
    except IndexError as error:
        raise AuditError(
            f"The answer to the report {report} has a row without all its fields."
        ) from error


def repeated(text: str, size: int) -> pa.DictionaryArray:
    """A column of one text."""
    return pa.DictionaryArray.from_arrays(pa.repeat(pa.scalar(0, pa.int32()), size), [text])


def each_text(
    values: pa.DictionaryArray, change: Callable[[pa.Array], pa.Array]
) -> pa.DictionaryArray:
    """`change` of every different text; it must leave different ones different."""
    return pa.DictionaryArray.from_arrays(values.indices, change(values.dictionary))


def apart_from(marker: str, values: pa.Array) -> pa.Array:
    """`values` as they were sent, none of them equal to `marker`, which is ours.

    A value that reads like it, or like one already set apart, gets a backslash in front: different
    values stay different.
    """
    return pc.replace_substring_regex(values, rf"^(\\*{re.escape(marker)})$", r"\\\1")


def shortened_texts(values: pa.Array) -> pa.Array:
    """`values` with the longest ones cut, each marked with its length and hash: still different."""
    if not len(values) or pc.max(pc.binary_length(values)).as_py() <= MOST_CHARACTERS:
        return values
    is_long = pc.greater(pc.utf8_length(values), MOST_CHARACTERS)
    cut = [_shortened(text) for text in values.filter(is_long).to_pylist()]
    return pc.replace_with_mask(values, is_long, pa.array(cut, pa.string()))


def _shortened(text: str) -> str:
    told = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{text[: MOST_CHARACTERS // 2]}… (cut; {len(text):,} characters, {told})"


def counts(values: pa.Array, report: str) -> tuple[pa.Array, bool]:
    """Whole numbers (int64), and whether fractions had to be rounded for it, half away from 0.

    Empty text is 0: the API leaves zeros out. Integers may come as '12.0' or '1.2E7', scaled ones
    as '12.25'. Raises AuditError for a text that is no number, or none of 64 bits.
    """
    try:
        filled = _filled(values)
        try:
            return filled.cast(pa.int64()), False
        except pa.ArrowInvalid:
            found = _finite(filled)
        whole = pc.round(found, round_mode="half_towards_infinity")
        return whole.cast(pa.int64()), not whole.equals(found)
    except pa.ArrowInvalid as error:
        raise _no_number(report, error) from error


def numbers(values: pa.Array, report: str) -> pa.Array:
    """Doubles; empty text is 0. Raises AuditError for a text that is no finite number."""
    try:
        return _finite(_filled(values))
    except pa.ArrowInvalid as error:
        raise _no_number(report, error) from error


def _filled(values: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(values, ""), "0", values)


def _no_number(report: str, error: pa.ArrowInvalid) -> AuditError:
    return AuditError(
        f"The answer to the report {report} holds a metric that is no number ({error})."
    )


def _finite(values: pa.Array) -> pa.Array:
    found = values.cast(pa.float64())
    if not pc.all(pc.is_finite(found), min_count=0).as_py():
        raise pa.ArrowInvalid("not a finite number")
    return found
