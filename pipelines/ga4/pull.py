"""Pull one report over a range of days, page by page, and audit it before anyone stores it.

The audit is rule 3 of GA4.md: rows over pages = row_count, row_count the same on every page, no
duplicate key, additive totals not below the sum of the rows, no date outside the window. An
answer that fails is pulled again from its first page; then it is held back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Protocol
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.decode import OTHER, Flags, Page, decode, empty_rows
from pipelines.ga4.errors import AuditError
from pipelines.ga4.reports import DATE, Part, ReportSpec
from pipelines.ga4.requests import fingerprint, report_request

AUDIT_ATTEMPTS = 3
# Money is summed as doubles in another order than the server's.
MONEY_TOLERANCE = 1e-6


class RunsReports(Protocol):
    """The one method of the client that a pull needs."""

    def run_report(self, request: ga4.RunReportRequest, *, what: str) -> object:
        """One page as a raw RunReportResponse protobuf."""
        ...


@dataclass(frozen=True)
class Pull:
    """A report of one property over [start, end], audited.

    `rows`: property_id, date (date32), key columns (string), metrics, pulled_at, pull_id.
    `quarantined`: rows whose date could not be read, as they came. `skipped`: requests that
    were not made because a parameter is not registered. `other_share`: part of the first
    metric that stands in `(other)` rows, 0–1.
    """

    property_id: str
    spec: ReportSpec
    start: date
    end: date
    rows: pa.Table
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


def pull_report(
    client: RunsReports,
    property_id: str,
    spec: ReportSpec,
    start: date,
    end: date,
    *,
    custom_dimensions: frozenset[str] = frozenset(),
) -> Pull:
    """Pull `spec` for every day from `start` to `end` (property-local, both included).

    Raises AuditError when an answer contradicts itself three times in a row, and whatever the
    client raises.
    """
    asked = [part for part in spec.parts if part.parameters <= custom_dimensions]
    answers = [_audited(client, property_id, spec, part, start, end) for part in asked]
    table = pa.concat_tables([answer.rows for answer in answers] or [_empty(spec)])
    readable = _readable(table["date"])
    bad = pc.invert(readable)
    kept = table.filter(readable)
    days = pc.cast(pc.strptime(kept["date"], format="%Y%m%d", unit="s"), pa.date32())
    kept = kept.set_column(kept.schema.get_field_index("date"), "date", days)
    flags = Flags()
    for answer in answers:
        flags = flags.joined(answer.flags)
    stamp, pull_id = datetime.now(UTC), uuid4().hex
    size = kept.num_rows
    rows = (
        kept.add_column(0, "property_id", pa.array([property_id] * size, pa.string()))
        .append_column("pulled_at", pa.array([stamp] * size, pa.timestamp("us", tz="UTC")))
        .append_column("pull_id", pa.array([pull_id] * size, pa.string()))
        .select(list(spec.columns))
    )
    return Pull(
        property_id, spec, start, end, rows, table.filter(bad), flags, _other_share(kept, spec),
        pages=sum(answer.pages for answer in answers),
        tokens=sum(answer.tokens for answer in answers),
        quota=answers[-1].quota if answers else {},
        request_hash="-".join(answer.request_hash for answer in answers)[:200],
        pull_id=pull_id, pulled_at=stamp,
        skipped=tuple(part.constants["micro_key"] for part in spec.parts if part not in asked),
    )  # fmt: skip


@dataclass(frozen=True)
class _Answer:
    rows: pa.Table
    flags: Flags
    pages: int
    tokens: int
    quota: dict[str, tuple[int, int]]
    request_hash: str


def _audited(
    client: RunsReports, property_id: str, spec: ReportSpec, part: Part, start: date, end: date
) -> _Answer:
    request = report_request(property_id, spec, part, start, end)
    for attempt in range(1, AUDIT_ATTEMPTS + 1):
        try:
            return _all_pages(client, request, spec, part)
        except AuditError as error:
            if attempt == AUDIT_ATTEMPTS:
                raise AuditError(
                    f"Property {property_id}, report {spec.name}, {start} to {end}: {error} "
                    "It was pulled three times and is held back; what was loaded before stays. "
                    "Run the same night again later."
                ) from error
    raise AssertionError("unreachable")  # pragma: no cover


def _all_pages(
    client: RunsReports, request: ga4.RunReportRequest, spec: ReportSpec, part: Part
) -> _Answer:
    """Pages of any size, until the server's row_count is reached; audited."""
    what = f"the report {spec.name}"
    pages: list[Page] = []
    seen, expected = 0, None
    while expected is None or seen < expected:
        page = decode(client.run_report(_at(request, seen), what=what), spec)
        pages.append(page)
        if expected is not None and page.row_count != expected:
            raise AuditError(f"row_count went from {expected} to {page.row_count} between pages.")
        expected = page.row_count
        seen += page.rows.num_rows
        if seen < expected and page.rows.num_rows == 0:
            raise AuditError(f"The pages end after {seen} of {expected} rows.")
    if seen > (expected or 0):
        raise AuditError(f"The pages hold {seen} rows, but row_count says {expected}.")
    rows = pa.concat_tables([page.rows for page in pages])
    _refuse_duplicates(rows, spec)
    _refuse_foreign_days(rows, request)
    _refuse_short_totals(rows, pages[0], spec)
    flags = Flags()
    for page in pages:
        flags = flags.joined(page.flags)
    for name, value in reversed(part.constants.items()):
        rows = rows.add_column(1, name, pa.array([value] * rows.num_rows, pa.string()))
    tokens = sum(page.quota.get("tokens_per_day", (0, 0))[0] for page in pages)
    return _Answer(rows, flags, len(pages), tokens, pages[-1].quota, fingerprint(request))


def _at(request: ga4.RunReportRequest, offset: int) -> ga4.RunReportRequest:
    if offset == 0:
        return request
    later = ga4.RunReportRequest(request)
    later.offset = offset
    return later


def _empty(spec: ReportSpec) -> pa.Table:
    rows = empty_rows(spec)
    for name in reversed(spec.parts[0].constants if spec.parts else {}):
        rows = rows.add_column(1, name, pa.array([], pa.string()))
    return rows


def _readable(dates: pa.ChunkedArray) -> pa.ChunkedArray:
    """True where the text is a real day as YYYYMMDD (`20260231` is none)."""
    digits = pc.match_substring_regex(dates, r"^\d{8}$")
    candidate = pc.if_else(digits, dates, None)
    parsed = pc.strptime(candidate, format="%Y%m%d", unit="s", error_is_null=True)
    same = pc.equal(pc.strftime(parsed, format="%Y%m%d"), dates)
    return pc.fill_null(same, False)


def _refuse_duplicates(rows: pa.Table, spec: ReportSpec) -> None:
    keys = [DATE, *(name for name in spec.key_columns if name in rows.column_names)]
    groups = rows.group_by(keys).aggregate([([], "count_all")])
    if groups.num_rows == rows.num_rows:
        return
    first = groups.filter(pc.greater(groups["count_all"], 1)).slice(0, 1).to_pylist()[0]
    raise AuditError(f"The row {[first[key] for key in keys]} came {first['count_all']} times.")


def _refuse_short_totals(rows: pa.Table, page: Page, spec: ReportSpec) -> None:
    for metric in (metric for metric in spec.metrics if metric.is_additive):
        if metric.column not in page.totals:
            continue
        total, summed = page.totals[metric.column], pc.sum(rows[metric.column]).as_py() or 0
        if summed - total > MONEY_TOLERANCE * max(1.0, abs(total)):
            raise AuditError(f"{metric.api_name} adds up to {summed}, above its total {total}.")


def _refuse_foreign_days(rows: pa.Table, request: ga4.RunReportRequest) -> None:
    days = rows.filter(_readable(rows[DATE]))[DATE]
    if len(days) == 0:
        return
    first, last = (date.fromisoformat(day.as_py()) for day in pc.min_max(days).values())
    asked = request.date_ranges[0]
    if str(first) < asked.start_date or str(last) > asked.end_date:
        raise AuditError(f"The answer holds days from {first} to {last}.")


def _other_share(rows: pa.Table, spec: ReportSpec) -> float:
    column = spec.metrics[0].column
    total = pc.sum(rows[column]).as_py() or 0
    if not total or not spec.key_columns:
        return 0.0
    is_other = pc.equal(rows[spec.key_columns[0]], OTHER)
    for name in spec.key_columns[1:]:
        is_other = pc.or_(is_other, pc.equal(rows[name], OTHER))
    return float((pc.sum(rows.filter(is_other)[column]).as_py() or 0) / total)
