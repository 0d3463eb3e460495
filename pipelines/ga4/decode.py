"""Protobuf answers → typed Arrow columns. The only place that reads rows of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.errors import AuditError
from pipelines.ga4.specs import Part, ReportSpec
from pipelines.ga4.wire import read_texts

OTHER = "(other)"


@dataclass(frozen=True)
class Flags:
    """What an answer says about its own completeness. Flags of pages and parts are joined.

    `restricted_metrics`: API names of metrics that these credentials may not see; GA4 sends
    zeros for them. `truncation`: why GA4 left data out, '' when it did not.
    """

    is_sampled: bool = False
    is_thresholded: bool = False
    has_other_row: bool = False
    empty_reason: str = ""
    currency: str = ""
    time_zone: str = ""
    restricted_metrics: tuple[str, ...] = ()
    truncation: str = ""

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
        )


@dataclass(frozen=True)
class Page:
    """One decoded answer.

    `rows`: columns `date` (text, as sent), the spec's dimensions (string) and metrics (int64 or
    double). `row_count`: what the server says all pages together hold. `totals`: metric column →
    server-side total, where it sent one.
    """

    rows: pa.Table
    row_count: int
    totals: dict[str, float] = field(default_factory=dict)
    flags: Flags = field(default_factory=Flags)
    quota: dict[str, tuple[int, int]] = field(default_factory=dict)


def decode(message: Any, spec: ReportSpec, part: Part | None = None) -> Page:
    """Read one RunReportResponse (raw protobuf) by the names in its headers.

    Raises AuditError when a requested field is missing or a metric is not a number.
    """
    part = part or Part()
    dimensions = [header.name for header in message.dimension_headers]
    metrics = [header.name for header in message.metric_headers]
    if not message.rows and not dimensions and not metrics:
        return _page(message, empty_rows(spec, part), {})
    by_dimension, by_metric = _texts_of(message, len(dimensions), len(metrics), spec.name)
    columns = {
        column: by_dimension[place_of(name, dimensions, spec.name)]
        for name, column in spec.fields(part).items()
    }
    totals: dict[str, float] = {}
    for metric in spec.metrics:
        place = place_of(metric.api_name, metrics, spec.name)
        columns[metric.column] = numbers(by_metric[place], metric.is_integer, spec.name)
        if message.totals and place < len(message.totals[0].metric_values):
            text = message.totals[0].metric_values[place].value
            totals[metric.column] = numbers(pa.array([text]), False, spec.name)[0].as_py()
    return _page(message, pa.table(columns), totals)


def empty_rows(spec: ReportSpec, part: Part | None = None) -> pa.Table:
    """No rows, with the columns that `decode` gives."""
    names = spec.fields(part or Part()).values()
    kinds = {
        metric.column: pa.array([], pa.int64() if metric.is_integer else pa.float64())
        for metric in spec.metrics
    }
    return pa.table({**{name: pa.array([], pa.string()) for name in names}, **kinds})


def _page(message: Any, rows: pa.Table, totals: dict[str, float]) -> Page:
    metadata = message.metadata
    reason = metadata.empty_reason if rows.num_rows == 0 else ""
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
        truncation="; ".join(_truncation(one) for one in metadata.data_truncation_reasons),
    )
    return Page(rows, message.row_count, totals, flags, read_quota(message))


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
    message: Any, dimensions: int, metrics: int, report: str
) -> tuple[list[pa.Array], list[pa.Array]]:
    """All values of all rows by their place; the slow way where the encoding is not plain."""
    found = read_texts(message, dimensions, metrics)
    if found is not None:
        return found
    # The lists of a row's values are held, so that each is made once and not once a column.
    rows = [row.dimension_values for row in message.rows]
    by_dimension = [texts(rows, place, report) for place in range(dimensions)]
    rows = [row.metric_values for row in message.rows]
    return by_dimension, [texts(rows, place, report) for place in range(metrics)]


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


def numbers(values: pa.Array, is_integer: bool, report: str) -> pa.Array:
    """Empty text is 0: the API leaves zeros out. Integers may come as '12.0' or '1.2E7'.

    Raises AuditError for a text that is no number.
    """
    filled = pc.if_else(pc.equal(values, ""), "0", values)
    try:
        if not is_integer:
            return _finite(filled)
        try:
            return filled.cast(pa.int64())
        except pa.ArrowInvalid:
            return _finite(filled).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise AuditError(
            f"The answer to the report {report} holds a metric that is no number ({error})."
        ) from error


def _finite(values: pa.Array) -> pa.Array:
    found = values.cast(pa.float64())
    if not pc.all(pc.is_finite(found), min_count=0).as_py():
        raise pa.ArrowInvalid("not a finite number")
    return found
