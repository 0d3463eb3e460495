"""A Data API server in a process of its own that answers from pages encoded once.

It must not be what is measured: an answer is bytes that were there before. The property's id says
how many rows a report has (a multiple of the page); whatever is asked for, the fields are those of
`SPEC`. Run as `python -m tests.perf.page_server PAGES`; it prints its address.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import grpc
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.report_catalog import EVENT_METRICS, ReportSpec
from pipelines.ga4.report_request import PAGE_ROWS

SPEC = ReportSpec("bench", ("eventName", "pagePath"), EVENT_METRICS)
FIRST, LAST = date(2026, 1, 1), date(2026, 1, 28)
METHOD = "/google.analytics.data.v1beta.BetaAnalyticsData/RunReport"
_Request = ga4.RunReportRequest.pb()
_Response = ga4.RunReportResponse.pb()


@contextmanager
def page_server(pages: int) -> Iterator[str]:
    """The address of a server with up to `pages` pages a report."""
    command = [sys.executable, "-m", "tests.perf.page_server", str(pages)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        try:
            yield one.stdout.readline().strip()
        finally:
            one.terminate()


def encoded_page(number: int) -> bytes:
    """Rows of one page, with headers and metadata; row_count and totals differ by property."""
    answer = _Response()
    for name in ("date", *SPEC.dimensions):
        answer.dimension_headers.add(name=name)
    for metric in SPEC.metrics:
        answer.metric_headers.add(name=metric.api_name, type_="TYPE_INTEGER")
    days = [f"{FIRST + timedelta(days=n):%Y%m%d}" for n in range((LAST - FIRST).days + 1)]
    for place in range(number * PAGE_ROWS, (number + 1) * PAGE_ROWS):
        row = answer.rows.add()
        for text in (days[place % len(days)], f"event_{place % 40}", f"/products/item-{place}"):
            row.dimension_values.add().value = text
        for value in (place % 1000, place % 300):
            row.metric_values.add().value = str(value)
    answer.metadata.time_zone = "Europe/Berlin"
    answer.metadata.currency_code = "EUR"
    answer.property_quota.tokens_per_day.consumed = 20
    answer.property_quota.tokens_per_day.remaining = 199_000
    return bytes(answer.SerializeToString())


def encoded_total(rows: int) -> bytes:
    """What is said of all pages together. Two encoded messages in a row are one, merged."""
    answer = _Response(row_count=rows)
    total = answer.totals.add()
    for _ in ("date", *SPEC.dimensions):
        total.dimension_values.add(value="RESERVED_TOTAL")
    for most in (1000, 300):
        total.metric_values.add(value=str(sum(place % most for place in range(rows))))
    return bytes(answer.SerializeToString())


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, pages: int) -> None:
        rows = [encoded_page(number) for number in range(pages)]
        totals = {count: encoded_total(count * PAGE_ROWS) for count in range(1, pages + 1)}
        self._answers = {
            (count * PAGE_ROWS, number * PAGE_ROWS): rows[number] + total
            for count, total in totals.items()
            for number in range(count)
        }

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        if details.method != METHOD:
            return None
        return grpc.unary_unary_rpc_method_handler(self._answer, _Request.FromString, bytes)

    def _answer(self, request: Any, context: grpc.ServicerContext) -> bytes:
        rows = int(request.property.removeprefix("properties/"))
        return self._answers[rows, request.offset]


def main() -> None:
    backend = grpc.server(ThreadPoolExecutor(2), handlers=[_Handler(int(sys.argv[1]))])
    port = backend.add_insecure_port("127.0.0.1:0")
    backend.start()
    print(f"127.0.0.1:{port}", flush=True)
    backend.wait_for_termination()


if __name__ == "__main__":
    main()
