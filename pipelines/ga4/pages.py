"""All pages of one request, put together and audited."""

from __future__ import annotations

import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.ask import Answer, Ask
from pipelines.ga4.audit import refuse_duplicates, refuse_short_totals
from pipelines.ga4.decode import Flags, Page, decode
from pipelines.ga4.errors import AuditError, SlowPageError
from pipelines.ga4.requests import fingerprint
from pipelines.ga4.specs import Part, ReportSpec


def all_pages(ask: Ask, request: ga4.RunReportRequest, spec: ReportSpec, part: Part) -> Answer:
    """Pages of any size, until the server's row_count or the spec's `top` is reached.

    Decoded pages are kept, messages are not: a page of 250,000 rows is 100 MB of protobuf.
    Raises AuditError when pages contradict each other, and whatever the client raises.
    """
    pages: list[Page] = []
    seen, expected = 0, None
    while expected is None or seen < expected:
        page = _page(ask, request, seen, spec, part)
        count = page.row_count if spec.kind != "ranking" else min(page.row_count, request.limit)
        if expected is not None and count != expected:
            raise AuditError(f"row_count went from {expected} to {count} between pages.")
        pages.append(page)
        expected = count
        seen += page.rows.num_rows
        if seen < expected and page.rows.num_rows == 0:
            raise AuditError(f"The pages end after {seen} of {expected} rows.")
    if seen > (expected or 0):
        raise AuditError(f"The pages hold {seen} rows, but row_count says {expected}.")
    rows = pa.concat_tables([page.rows for page in pages])
    refuse_duplicates(rows, tuple(spec.fields(part).values()))
    refuse_short_totals(rows, pages[0], spec.metrics)
    flags = Flags()
    for page in pages:
        flags = flags.joined(page.flags)
    tokens = sum(page.quota.get("tokens_per_day", (0, 0))[0] for page in pages)
    return Answer(rows, flags, len(pages), tokens, pages[-1].quota, fingerprint(request))


def _page(
    ask: Ask, request: ga4.RunReportRequest, offset: int, spec: ReportSpec, part: Part
) -> Page:
    """The page from `offset` on, as large as the server manages in time."""
    while True:
        left = request.limit - offset if spec.kind == "ranking" else request.limit
        page = _at(request, offset, min(ask.page_size.rows, left))
        try:
            return decode(ask.client.run_report(page, what=ask.what), spec, part)
        except SlowPageError as error:
            ask.page_size.halve(page.limit, error)


def _at(request: ga4.RunReportRequest, offset: int, rows: int) -> ga4.RunReportRequest:
    if offset == 0 and rows == request.limit:
        return request
    later = ga4.RunReportRequest(request)
    later.offset, later.limit = offset, rows
    return later
