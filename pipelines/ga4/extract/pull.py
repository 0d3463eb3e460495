"""`pull`: the one way to get a report, audited and typed, before anyone stores it.

How a kind of report is asked for stands in the module of that kind; here their findings become
one table with stamps and flags.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from pipelines.clock import Clock
from pipelines.ga4.date_windows import days_between, each_day, trailing, window_partitions
from pipelines.ga4.decode.report_answer import OTHER, Flags, repeated
from pipelines.ga4.exactness import missing_share
from pipelines.ga4.extract.daily_reports import pull_days
from pipelines.ga4.extract.field_list import pull_fields
from pipelines.ga4.extract.funnel_reports import WINDOW_DAYS, pull_funnels, pull_next_actions
from pipelines.ga4.extract.user_reports import pull_users, user_windows
from pipelines.ga4.report_query import Answer, Ask, DataApi, Found
from pipelines.ga4.report_spec import DATE, ReportKind, ReportSpec

# Where a pull's numbers come from.
DATA_API, EXPORT = "data_api", "export"
_KINDS: dict[ReportKind, Callable[[Ask], Found]] = {
    ReportKind.DAILY: pull_days,
    ReportKind.USERS_WINDOW: pull_users,
    ReportKind.FUNNEL: pull_funnels,
    ReportKind.NEXT_ACTION: pull_next_actions,
    ReportKind.METADATA: pull_fields,
}


@dataclass(frozen=True)
class Pull:
    """A report of one property over [start, end], audited.

    `spec`: with the version of what was asked for.
    `rows`: the columns of `spec.columns`: property_id, date (date32), key columns, metrics
    (NULL where restricted), pulled_at, pull_id. `partitions`: what they replace: `date`, and
    `window_name` for reports of whole windows. `quarantined`: rows whose date could not be
    read, as they came. `skipped`: parts that were not asked for, as a parameter is not
    registered; `left_out`: these, and those that GA4 refused. `notes`: what else was left out, and
    why. `other_share`: part of the first metric that stands in `(other)` rows of a report by day,
    0–1. `missing_share`: part of a counted metric's total that no row of a day holds, 0–1, of the
    metric that lacks most; None where the server told no total, or scaled what it counted.
    `tokens`: of the core bucket, or of the funnel bucket for funnels. `route`: `data_api`, or
    `export`, whose numbers are no estimates.
    """

    property_id: str
    spec: ReportSpec
    start: date
    end: date
    rows: pa.Table
    partitions: pa.Table
    quarantined: pa.Table
    flags: Flags
    other_share: float
    pages: int
    tokens: int
    quota: dict[str, tuple[int, int]]
    request_hash: str
    pull_id: str
    pulled_at: datetime
    skipped: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    missing_share: float | None = None
    route: str = DATA_API


def pull(
    client: DataApi,
    property_id: str,
    spec: ReportSpec,
    start: date,
    end: date,
    *,
    custom_dimensions: frozenset[str] | None = None,
    fields: Any | None = None,
    clock: Clock | None = None,
) -> Pull:
    """Pull `spec` for the days from `start` to `end` (property-local, both included).

    Reports of whole windows take the windows that end on `end` or before. Parts whose event
    parameter is none of `custom_dimensions` are skipped; where these are not known (None), they
    are asked for, and those that GA4 refuses are left out. `fields` is the
    answer of GetMetadata, which the metadata report asks for when it is None; `clock` gives the
    stamp of the rows (default: the machine's). Raises AuditError
    when an answer contradicts itself three times in a row, LargeReportError for rows that fewer
    days may have fewer of, and whatever the client raises.
    """
    ask = Ask(client, property_id, spec, start, end, custom_dimensions, fields)
    return as_pull(_KINDS[spec.kind](ask), property_id, spec, start, end, clock or Clock())


def as_pull(
    found: Found,
    property_id: str,
    spec: ReportSpec,
    start: date,
    end: date,
    clock: Clock,
    route: str = DATA_API,
) -> Pull:
    """What was found as one table with stamps and flags, wherever it comes from."""
    flags = Flags()
    for answer in found.answers:
        flags = flags.joined(answer.flags)
    stamp, pull_id = clock.now(), uuid4().hex
    rows = _without_restricted(found.rows, spec, flags)
    undated = rows.slice(0, 0) if found.quarantined is None else found.quarantined
    hashes = (answer.request_hash for answer in found.answers)
    return Pull(
        property_id, replace(spec, version=found.version or spec.version), start, end,
        rows=_stamped(rows, property_id, stamp, pull_id).select(list(spec.columns)),
        partitions=found.partitions,
        quarantined=undated,
        flags=flags,
        other_share=_other_share(rows, undated, spec),
        pages=sum(answer.pages for answer in found.answers),
        tokens=sum(answer.tokens for answer in found.answers),
        quota=found.answers[-1].quota if found.answers else {},
        request_hash="-".join(hashes)[:200],
        pull_id=pull_id, pulled_at=stamp, skipped=found.skipped,
        left_out=(*found.skipped, *found.refused),
        notes=(*found.notes, *_rounding(flags)),
        missing_share=_missing_share(found.answers, undated),
        route=route,
    )  # fmt: skip


def partitions_of(spec: ReportSpec, start: date, end: date) -> pa.Table:
    """What a pull of `spec` replaces: `date`, and `window_name` for reports of whole windows.

    A pull that fails leaves just these as they were.
    """
    match spec.kind:
        case ReportKind.USERS_WINDOW:
            return window_partitions(user_windows(end))
        case ReportKind.FUNNEL:
            return window_partitions((trailing(WINDOW_DAYS, end), *each_day(start, end)))
        case ReportKind.NEXT_ACTION:
            return window_partitions((trailing(WINDOW_DAYS, end),))
        case ReportKind.METADATA:
            start = end
    days = days_between(start, end)
    return pa.table({DATE: pa.array(days, pa.date32())})


def _missing_share(answers: Sequence[Answer], undated: pa.Table) -> float | None:
    """Of the counted metric that lacks most; a row of no day is missing from its day."""
    shares = []
    for column in {name for answer in answers for name in answer.counted}:
        told = [answer.counted[column] for answer in answers if column in answer.counted]
        lost = (pc.sum(undated[column]).as_py() or 0) if undated.num_rows else 0
        summed = sum(rows for _, rows in told) - lost
        shares.append(missing_share(sum(total for total, _ in told), summed))
    return max(shares, default=None)


def _rounding(flags: Flags) -> list[str]:
    if not flags.rounded_metrics:
        return []
    return [f"Fractions of {', '.join(flags.rounded_metrics)} were rounded: GA4 scaled them."]


def _stamped(rows: pa.Table, property_id: str, stamp: datetime, pull_id: str) -> pa.Table:
    size, moment = rows.num_rows, pa.scalar(stamp, pa.timestamp("us", tz="UTC"))
    return (
        rows.append_column("property_id", repeated(property_id, size))
        .append_column("pulled_at", pa.repeat(moment, size))
        .append_column("pull_id", repeated(pull_id, size))
    )


def _without_restricted(rows: pa.Table, spec: ReportSpec, flags: Flags) -> pa.Table:
    """GA4 sends zeros for metrics that these credentials may not see: nothing is known of them."""
    for metric in spec.metrics:
        if metric.api_name in flags.restricted_metrics:
            place = rows.schema.get_field_index(metric.column)
            nothing = pa.nulls(rows.num_rows, rows.schema.field(place).type)
            rows = rows.set_column(place, metric.column, nothing)
    return rows


def _other_share(rows: pa.Table, undated: pa.Table, spec: ReportSpec) -> float:
    """Part of the first metric that GA4 folded into `(other)`: in a dimension, or in the date."""
    if not spec.kind.is_daily:
        return 0.0
    column = spec.metrics[0].column
    outside = (pc.sum(undated[column]).as_py() or 0) if undated.num_rows else 0
    total = (pc.sum(rows[column]).as_py() or 0) + outside
    if not total:
        return 0.0
    is_other = pa.repeat(False, rows.num_rows)
    for name in spec.key_columns:
        is_other = pc.or_(is_other, pc.equal(rows[name], OTHER))
    return float(((pc.sum(rows[column].filter(is_other)).as_py() or 0) + outside) / total)
