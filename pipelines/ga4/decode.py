"""Protobuf answers → typed Arrow columns. The only place that reads rows of an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.ga4.errors import AuditError
from pipelines.ga4.reports import DATE, ReportSpec, snake_case

OTHER = "(other)"


@dataclass(frozen=True)
class Flags:
    """What an answer says about its own completeness. Flags of pages and parts are joined."""

    is_sampled: bool = False
    is_thresholded: bool = False
    has_other_row: bool = False
    empty_reason: str = ""
    currency: str = ""
    time_zone: str = ""

    def joined(self, other: Flags) -> Flags:
        """Either's flags; texts of the later answer win where it has any."""
        return Flags(
            self.is_sampled or other.is_sampled,
            self.is_thresholded or other.is_thresholded,
            self.has_other_row or other.has_other_row,
            other.empty_reason or self.empty_reason,
            other.currency or self.currency,
            other.time_zone or self.time_zone,
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


def decode(message: Any, spec: ReportSpec) -> Page:
    """Read one RunReportResponse (raw protobuf) by the names in its headers.

    Raises AuditError when a requested field is missing or a metric is not a number.
    """
    dimensions = [header.name for header in message.dimension_headers]
    metrics = [header.name for header in message.metric_headers]
    rows = message.rows
    if not rows and not dimensions and not metrics:
        return _page(message, empty_rows(spec), {})
    columns: dict[str, pa.Array] = {}
    for name in (DATE, *spec.dimensions):
        place = _place(name, dimensions, spec)
        texts = _texts((row.dimension_values for row in rows), place, spec)
        columns[snake_case(name)] = texts
    totals: dict[str, float] = {}
    for metric in spec.metrics:
        place = _place(metric.api_name, metrics, spec)
        texts = _texts((row.metric_values for row in rows), place, spec)
        columns[metric.column] = _numbers(texts, metric.is_integer, spec)
        if message.totals and place < len(message.totals[0].metric_values):
            text = message.totals[0].metric_values[place].value
            number = _numbers(pa.array([text], pa.string()), False, spec)
            totals[metric.column] = number[0].as_py()
    return _page(message, pa.table(columns), totals)


def empty_rows(spec: ReportSpec) -> pa.Table:
    """No rows, with the columns that `decode` gives."""
    texts = {snake_case(name): pa.array([], pa.string()) for name in (DATE, *spec.dimensions)}
    numbers = {
        metric.column: pa.array([], pa.int64() if metric.is_integer else pa.float64())
        for metric in spec.metrics
    }
    return pa.table({**texts, **numbers})


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
    )
    quota = {
        field.name: (status.consumed, status.remaining)
        for field, status in message.property_quota.ListFields()
    }
    return Page(rows, message.row_count, totals, flags, quota)


def _place(name: str, headers: list[str], spec: ReportSpec) -> int:
    try:
        return headers.index(name)
    except ValueError as error:
        raise AuditError(
            f"The answer to the report {spec.name} lacks the field {name}; it has {headers}."
        ) from error


def _texts(rows: Iterable[Any], place: int, spec: ReportSpec) -> pa.Array:
    try:
        return pa.array([values[place].value for values in rows], pa.string())
    except IndexError as error:
        raise AuditError(
            f"The answer to the report {spec.name} has a row without all its fields."
        ) from error


def _numbers(texts: pa.Array, is_integer: bool, spec: ReportSpec) -> pa.Array:
    """Empty text is 0: the API leaves zeros out. Integers may come as '12.0' or '1.2E7'."""
    filled = pc.if_else(pc.equal(texts, ""), "0", texts)
    try:
        if not is_integer:
            numbers = filled.cast(pa.float64())
            if not pc.all(pc.is_finite(numbers), min_count=0).as_py():
                raise pa.ArrowInvalid("not a finite number")
            return numbers
        try:
            return filled.cast(pa.int64())
        except pa.ArrowInvalid:
            return filled.cast(pa.float64()).cast(pa.int64())
    except pa.ArrowInvalid as error:
        raise AuditError(
            f"The answer to the report {spec.name} holds a metric that is no number ({error})."
        ) from error
