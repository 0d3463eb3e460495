"""Faults of a finished answer: what its metadata says, and the rows of a page."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import duckdb
import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

from pipelines.emulator.server.dates import DateRange
from pipelines.emulator.server.faults.actions import Restrict, Truncate
from pipelines.emulator.server.faults.book import Effects

_TRUNCATION = ga4.ResponseMetaData.DataTruncationReason.DataTruncationType


def mark_report(
    cursor: duckdb.DuckDBPyConnection,
    effects: Effects,
    metadata: Any,
    metrics: Iterable[str],
    date_ranges: Iterable[DateRange],
) -> None:
    """Writes into a `ResponseMetaData` (raw) what faults did to the report."""
    names = list(metrics)
    for do in effects.dos:
        if do.other:
            metadata.data_loss_from_other_row = True
        if do.threshold:
            metadata.subject_to_thresholding = True
        if do.restrict:
            _restrictions(metadata, do.restrict, names)
        if do.empty:
            metadata.empty_reason = do.empty.reason
        if do.truncate:
            _truncation(metadata, do.truncate)
    mark_sampling(cursor, effects, metadata, date_ranges)


def mark_sampling(
    cursor: duckdb.DuckDBPyConnection,
    effects: Effects,
    metadata: Any,
    date_ranges: Iterable[DateRange],
) -> None:
    """Adds one `SamplingMetadata` per date range where a fault samples."""
    share = next((do.sampling.share for do in effects.dos if do.sampling), None)
    if share is None:
        return
    for dates in date_ranges:
        counted = cursor.execute(
            "SELECT count(*) FROM hits WHERE event_date BETWEEN ? AND ?",
            (dates.start, dates.end),
        ).fetchone()
        space = counted[0] if counted else 0
        metadata.sampling_metadatas.add(
            samples_read_count=round(space * share), sampling_space_size=space
        )


def faulty_page(effects: Effects, page: pa.Table) -> pa.Table:
    """The rows of a page after faults; a page of one row has no row to put in another's place."""
    for do in effects.dos:
        if do.missing_rows:
            page = page.slice(0, max(0, page.num_rows - do.missing_rows))
        if do.duplicate_rows and page.num_rows > 1:
            count = min(do.duplicate_rows, page.num_rows // 2)
            page = pa.concat_tables([page.slice(0, page.num_rows - count), page.slice(0, count)])
        if do.extra_rows:
            page = pa.concat_tables([page, page.slice(0, do.extra_rows)])
    return page


def faulty_count(effects: Effects, row_count: int) -> int:
    """The row count that the answer states."""
    return max(0, row_count + sum(do.row_count_add for do in effects.dos))


def min_users(effects: Effects) -> int:
    """Rows of fewer users than this vanish; 0 where nothing is thresholded."""
    return max((do.threshold.min_users for do in effects.dos if do.threshold), default=0)


def _restrictions(metadata: Any, restrict: Restrict, names: list[str]) -> None:
    kind = ga4.RestrictedMetricType[restrict.type]
    for name in names:
        if name in restrict.metrics:
            metadata.schema_restriction_response.active_metric_restrictions.add(
                metric_name=name, restricted_metric_types=[kind]
            )


def _truncation(metadata: Any, truncate: Truncate) -> None:
    metadata.data_truncation_reasons.add(
        data_truncation_type=_TRUNCATION[truncate.type],
        data_truncation_message=truncate.message,
        data_truncation_date=str(truncate.before) if truncate.before else None,
    )
