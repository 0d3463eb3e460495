"""All pages of one request, put together and audited."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Lock

import pyarrow as pa
import pyarrow.compute as pc
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.api_errors import AuditError, LargePageError, LargeReportError, SlowPageError
from pipelines.ga4.decode.audit import refuse_duplicates, refuse_short_totals
from pipelines.ga4.decode.report_answer import Flags, Page, decode
from pipelines.ga4.exactness import Made
from pipelines.ga4.report_query import SMALLEST_PAGE_ROWS, Answer, Ask
from pipelines.ga4.report_request import fingerprint
from pipelines.ga4.report_spec import Part, ReportSpec

# Three pulls run at once while a fourth waits to be stored, so each has a share of the memory: two
# pages, or the ten days of which GA4 keeps about 50,000 rows each (it folds others into (other)).
MOST_ROWS = 500_000
MOST_BYTES = 20_000_000
# What a page takes while it is decoded, 70 MB, is taken once.
_DECODING = Lock()
# A server that sends page after page of a few rows ends, too: ours are never smaller than 1,000.
MOST_PAGES = MOST_ROWS // SMALLEST_PAGE_ROWS


def all_pages(ask: Ask, request: ga4.RunReportRequest, spec: ReportSpec, part: Part) -> Answer:
    """Pages of any size, until the server's row_count or the spec's `top` is reached.

    Decoded pages are kept, what they came in is not. Raises AuditError when pages contradict each
    other, LargeReportError when they are too many, and whatever the client raises.
    """
    pages: list[Page] = []
    own = fingerprint(request)
    ask.held.pop(own, None)
    seen, held, expected = 0, sum(ask.held.values()), None
    while expected is None or seen < expected:
        if len(pages) == MOST_PAGES:
            raise AuditError(f"{MOST_PAGES:,} pages hold only {seen:,} of {expected:,} rows.")
        page = _page(ask, request, seen, spec, part)
        count = _told_count(page.row_count, request, spec)
        if expected is not None and count != expected:
            raise AuditError(f"row_count went from {expected} to {count} between pages.")
        pages.append(page)
        expected = count
        seen += page.rows.num_rows
        held += page.rows.nbytes
        if held > MOST_BYTES:
            raise LargeReportError(
                f"Its rows take more than {MOST_BYTES // 1_000_000} MB of memory."
            )
        if seen < expected and page.rows.num_rows == 0:
            raise AuditError(f"The pages end after {seen} of {expected} rows.")
    if seen > (expected or 0):
        raise AuditError(f"The pages hold {seen} rows, but row_count says {expected}.")
    rows = pa.concat_tables([page.rows for page in pages])
    refuse_duplicates(rows, tuple(spec.fields(part).values()))
    flags = Flags()
    for page in pages:
        flags = flags.joined(page.flags)
    totals = _provable_totals(pages, flags, spec)
    refuse_short_totals(rows, totals, spec)
    ask.held[own] = rows.nbytes
    tokens = sum(page.quota.get("tokens_per_day", (0, 0))[0] for page in pages)
    return Answer(
        rows, flags, len(pages), tokens, pages[-1].quota, own,
        _counted(rows, totals, spec),
    )  # fmt: skip


def _provable_totals(pages: Sequence[Page], flags: Flags, spec: ReportSpec) -> dict[str, float]:
    """Metric column → the highest total of all pages, where a total says something of the rows.

    Numbers that were scaled up from a share of the events are each rounded by themselves. Of a
    metric that may not be seen come zeros. A row that thresholding took away may hold a refund.
    """
    if flags.is_sampled:
        return {}
    scaled = {*flags.rounded_metrics, *flags.restricted_metrics}
    totals: dict[str, float] = {}
    for metric in spec.metrics:
        sent = [page.totals[metric.column] for page in pages if metric.column in page.totals]
        may_lack_refunds = metric.made is Made.MONEY and flags.is_thresholded
        if sent and metric.api_name not in scaled and not may_lack_refunds:
            totals[metric.column] = max(sent)
    return totals


def _counted(
    rows: pa.Table, totals: Mapping[str, float], spec: ReportSpec
) -> dict[str, tuple[float, float]]:
    return {
        one.column: (totals[one.column], float(pc.sum(rows[one.column]).as_py() or 0))
        for one in spec.metrics
        if one.made is Made.COUNTED and one.column in totals
    }


def _page(
    ask: Ask, request: ga4.RunReportRequest, offset: int, spec: ReportSpec, part: Part
) -> Page:
    """The page from `offset` on, as large as the server manages in time."""
    while True:
        left = request.limit - offset if spec.kind.is_ranking else request.limit
        page = _at(request, offset, min(ask.page_size.rows, left))
        try:
            answer = ask.client.run_report(page, what=ask.what)
            if (count := _told_count(answer.message.row_count, request, spec)) > MOST_ROWS:
                raise LargeReportError(
                    f"It has {count:,} rows, and no more than {MOST_ROWS:,} are read."
                )
            with _DECODING:
                return decode(answer, spec, part)
        except (SlowPageError, LargePageError) as error:
            ask.page_size.halve(page.limit, error)


def _told_count(row_count: int, request: ga4.RunReportRequest, spec: ReportSpec) -> int:
    """Rows of all pages together, as far as they are wanted."""
    return min(row_count, request.limit) if spec.kind.is_ranking else row_count


def _at(request: ga4.RunReportRequest, offset: int, rows: int) -> ga4.RunReportRequest:
    if offset == 0 and rows == request.limit:
        return request
    later = ga4.RunReportRequest(request)
    later.offset, later.limit = offset, rows
    return later
