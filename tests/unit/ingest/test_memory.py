"""A run's memory stays under 700 MB whatever a server sends; measured in a process of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.analytics.data_v1beta import types as ga4

from pipelines.ga4.report_request import PAGE_ROWS
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import MOST_QUARANTINED
from tests.support.protocol_server import SERVICE, Response

pytestmark = pytest.mark.slow

MOST_MB = 700
MOST_BYTES = 20 * 2**20
CHILD = """
import json, re, sys
from datetime import date
from pathlib import Path
from pipelines.config.settings import Ga4, Property, Settings
from pipelines.ga4.client import connect
from pipelines.ga4.report_catalog import EVENT_METRICS, ReportSpec
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Run, ingest
endpoint, home, last, *dimensions = sys.argv[1:]
settings = Settings(home=Path(home), ga4=Ga4(endpoint=endpoint), properties=(Property(id="42"),))
reports = tuple(
    ReportSpec(f"report_{number}", ("eventName", name), EVENT_METRICS, is_required=False)
    for number, name in enumerate(dimensions)
)
window = DayWindow(date(2026, 3, 2), date(2026, 3, int(last)))
outcome = ingest(settings, connect(settings.ga4), reports, window, Run("r1", "test"))
# Not getrusage: a child's ru_maxrss starts at the size of the process that started it.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps([int(peak) * 1024 / 1e6, outcome.rows, outcome.problems]))
"""


def page(number: int, text: str, day: str = "20260302") -> bytes:
    """Rows that are all different: `text` has a place for seven digits."""
    message = Response()
    row = message.rows.add()
    for value in (day, "view_item", text.format("0000000")):
        row.dimension_values.add(value=value)
    for value in ("3", "2"):
        row.metric_values.add(value=value)
    template = message.SerializeToString()
    count = min(PAGE_ROWS, MOST_BYTES // len(template) - 1)
    rows = np.tile(np.frombuffer(template, np.uint8), (count, 1))
    numbers, place = number * count + np.arange(count), template.index(b"0000000")
    for nth in range(7):
        rows[:, place + nth] += (numbers // 10 ** (6 - nth) % 10).astype(np.uint8)
    return rows.tobytes()


def answer(request: Any) -> bytes:
    """What each report meets, by the name of its last dimension."""
    message = Response()
    fields = [one.name for one in request.dimensions]
    for name in fields:
        message.dimension_headers.add(name=name)
    for metric in request.metrics:
        message.metric_headers.add(name=metric.name)
    first, last = (
        date.fromisoformat(text)
        for text in (request.date_ranges[0].start_date, request.date_ranges[0].end_date)
    )
    message.row_count = ((last - first).days + 1) * PAGE_ROWS
    match fields[-1:]:
        case []:
            message.row_count = 0
            rows = b""
        case ["pagePath"]:
            number = request.offset // PAGE_ROWS
            rows = page(number, "/products/item-{}", f"{first + timedelta(days=number):%Y%m%d}")
        case ["city"]:
            rows = page(request.offset // PAGE_ROWS, "{}", day="(other)")
        case ["itemName"]:
            rows = page(request.offset, "x" * 1_900 + "{}")
        case ["emptyRows"]:
            rows = b"\x1a\x00" * (MOST_BYTES // 2 - 1_000)
        case _:
            message.row_count = 10_000_000
            rows = page(0, "x" * 40 + "{}")
    return rows + message.SerializeToString()


class Handler(grpc.GenericRpcHandler):
    def service(self, details: Any) -> Any:
        if details.method != SERVICE + "RunReport":
            return None
        request = ga4.RunReportRequest.pb().FromString
        return grpc.unary_unary_rpc_method_handler(lambda one, _: answer(one), request, bytes)


@contextmanager
def endless_server() -> Iterator[str]:
    backend = grpc.server(ThreadPoolExecutor(3), handlers=[Handler()])
    port = backend.add_insecure_port("127.0.0.1:0")
    backend.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        backend.stop(grace=None).wait()


def ingested(
    home: Path, *dimensions: str, last: int = 3
) -> tuple[float, dict[str, int], dict[str, str]]:
    """Peak memory in MB, rows and problems by report, of 2 March 2026 to the `last` day of it."""
    with endless_server() as endpoint:
        command = [sys.executable, "-c", CHILD, endpoint, str(home), str(last), *dimensions]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    peak, rows, problems = json.loads(done.stdout)
    return peak, rows, problems


def test_memory_has_an_end_whatever_comes(tmp_path):
    """Before, long texts took 4,700 MB, empty rows 1,700, ten million rows three times 1,000."""
    peak, rows, problems = ingested(
        tmp_path, "pagePath", "country", "region", "itemName", "city", "emptyRows"
    )
    assert peak < MOST_MB
    # Half a million rows are too large for one pull, and come day by day.
    assert rows == {"report_0": 500_000, "report_4": 0}
    words = {1: "10,000,000 rows", 2: "10,000,000 rows", 3: "20 MB of memory", 5: "250,000 rows"}
    assert {number for number in words if words[number] in problems[f"report_{number}"]} == {*words}


def test_rows_without_a_day_are_not_all_kept(tmp_path):
    """Three days of them in three reports take 440 MB, and 640 where each is stored as text."""
    peak, rows, problems = ingested(tmp_path, "city", "city", "city", last=4)
    assert peak < 540
    assert problems == {}
    assert set(rows.values()) == {0}
    with build_database(tmp_path / "build.duckdb", read_only=True) as connection:
        kept = connection.execute(
            "select report, count(*) from ops.quarantine group by report, pull_id"
        ).fetchall()
        (message,) = connection.execute(
            "select distinct message from ops.pulls where report = 'report_0'"
        ).fetchone()
    assert {count for _, count in kept} == {MOST_QUARANTINED}
    assert message.endswith("no readable date; 10,000 of them are in ops.quarantine.")
