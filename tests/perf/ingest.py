"""A report from the wire into a DuckDB file: our way, dlt's, and the plain proto-plus loop.

All ask the same server with the same client for the same pages. Ours also audits them, keeps the
memory in `ops`, and replaces whole partitions in one transaction; dlt and the loop append to a
fresh file and have nothing to check.

dlt runs twice. Once as its own GA4 source does it (dlt-hub/verified-sources, google_analytics:
proto-plus attributes, pendulum dates, one dict a row, incremental by date), which is what its
users get. And once as somebody might write it who knows both well: raw protobuf, plain dates,
a list of dicts a page. Its loader takes Parquet both times.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from google.analytics.data_v1beta import types as ga4

from pipelines.config.settings import Ga4
from pipelines.ga4.client import Ga4Client, connect
from pipelines.ga4.date_windows import Period
from pipelines.ga4.extract.pull import pull
from pipelines.ga4.report_request import PAGE_ROWS, report_request
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.load import ensure_tables, replace_partitions
from tests.perf.compare import Comparison, Measurement, compare
from tests.perf.decode import records
from tests.perf.page_server import FIRST, LAST, SPEC, page_server

# Not getrusage: a child's ru_maxrss starts at the size of the process that started it (682 MB
# after dlt, where the child itself never had more than 467).
ONCE = """
import re, sys
from functools import partial
from pathlib import Path
from tests.perf.ingest import ours
ours(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
print(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])
"""


def ours(endpoint: str, rows: int, folder: Path) -> None:
    """gRPC → raw protobuf → Arrow → audit → DuckDB file."""
    client = connect(Ga4(endpoint=endpoint))
    with build_database(folder / "ours.duckdb") as connection:
        ensure_tables(connection, (SPEC,))
        pulled = pull(client, str(rows), SPEC, FIRST, LAST)
        replace_partitions(connection, pulled, run_id="bench")
    _assert_stored(folder / "ours.duckdb", f"raw.{SPEC.table}", rows)


def proto_plus_loop(endpoint: str, rows: int, folder: Path) -> None:
    """Every value by attribute access through proto-plus, as GA4's own examples read rows."""
    with duckdb.connect(str(folder / "loop.duckdb")) as connection:
        for message in _pages(connect(Ga4(endpoint=endpoint)), rows):
            answer = ga4.RunReportResponse.wrap(message)
            connection.register("page", pa.Table.from_pylist(list(records(answer))))
            columns = "* replace (strptime(date, '%Y%m%d')::date as date)"
            connection.execute(f"create table if not exists bench as select {columns} from page")
    _assert_stored(folder / "loop.duckdb", "bench", rows)


def dlt_source(endpoint: str, rows: int, folder: Path) -> None:
    """A dlt pipeline that reads rows as dlt's own GA4 source does."""
    dlt = _dlt()
    client = connect(Ga4(endpoint=endpoint))

    newest = dlt.sources.incremental("date", primary_key=())

    @dlt.resource(name="bench", write_disposition="append")
    def report(last_date: Any = newest) -> Iterator[dict[str, Any]]:
        for message in _pages(client, rows):
            yield from _dlt_rows(ga4.RunReportResponse.wrap(message))

    _load(dlt, report(), folder, rows)


def dlt_tuned(endpoint: str, rows: int, folder: Path) -> None:
    """A dlt pipeline of lists of dicts, read from the raw protobuf."""
    dlt = _dlt()
    client = connect(Ga4(endpoint=endpoint))

    @dlt.resource(name="bench", write_disposition="append")
    def report() -> Iterator[list[dict[str, Any]]]:
        for message in _pages(client, rows):
            yield _dict_rows(message)

    _load(dlt, report(), folder, rows)


def _load(dlt: Any, resource: Any, folder: Path, rows: int) -> None:
    pipeline = dlt.pipeline(
        pipeline_name="bench",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.duckdb(str(folder / "dlt.duckdb")),
        dataset_name="raw",
    )
    pipeline.run(resource, loader_file_format="parquet").raise_on_failed_jobs()
    _assert_stored(folder / "dlt.duckdb", "raw.bench", rows)


def _afresh(side: Callable[..., None], endpoint: str, fresh: Iterator[Path]) -> None:
    side(endpoint, PAGE_ROWS, next(fresh))


def ingest_comparisons() -> list[Comparison | Measurement]:
    """Speed against both, memory of one page."""
    _dlt()
    with page_server(1) as endpoint, tempfile.TemporaryDirectory() as folder:
        fresh = _fresh_folders(Path(folder))
        one = PAGE_ROWS
        others = (
            ("dlt's GA4 source", dlt_source, "at least 25 times as fast"),
            ("a tuned dlt pipeline", dlt_tuned, "none, for comparison"),
            ("the proto-plus loop", proto_plus_loop, "at least 8 times as fast"),
        )
        return [
            *(
                compare(
                    f"ingest {one:,} rows, gRPC to DuckDB file, against {name}",
                    lambda: ours(endpoint, one, next(fresh)),
                    partial(_afresh, other, endpoint, fresh),
                    rounds=3,
                    target=target,
                )
                for name, other, target in others
            ),
            _peak(endpoint, one, next(fresh), "under 700 MB"),
        ]


def _peak(endpoint: str, rows: int, folder: Path, target: str) -> Measurement:
    """Peak memory of a process that does nothing else. It fails when a row is missing."""
    command = [sys.executable, "-c", ONCE, endpoint, str(rows), str(folder)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    megabytes = int(done.stdout) * 1024 / 1e6
    return Measurement(f"ingest {rows:,} rows, peak memory", megabytes, "MB", target)


def _pages(client: Ga4Client, rows: int) -> Iterator[Any]:
    request = report_request(str(rows), SPEC, SPEC.parts[0], [Period("", FIRST, LAST)])
    for offset in range(0, rows, PAGE_ROWS):
        request.offset = offset
        content = client.run_report(request, what="bench").content
        yield ga4.RunReportResponse.pb().FromString(content)


def _dlt_rows(answer: ga4.RunReportResponse) -> Iterator[dict[str, Any]]:
    from dlt.common.pendulum import pendulum

    dimensions = [header.name for header in answer.dimension_headers]
    metrics = [header.name for header in answer.metric_headers]
    for row in answer.rows:
        record: dict[str, Any] = {}
        for name, value in zip(dimensions, row.dimension_values, strict=True):
            is_date = name == "date"
            text = value.value
            record[name] = pendulum.from_format(text, "YYYYMMDD", tz="UTC") if is_date else text
        for place, name in enumerate(metrics):
            kind = answer.metric_headers[place].type_
            text = row.metric_values[place].value
            record[f"{name}_{kind.name.split('_')[1]}"] = int(text)
        yield record


def _dict_rows(message: Any) -> list[dict[str, Any]]:
    found = list(records(message))
    for record in found:
        text = record["date"]
        record["date"] = date(int(text[:4]), int(text[4:6]), int(text[6:]))
    return found


def _dlt() -> Any:
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "CRITICAL"
    import dlt

    return dlt


def _fresh_folders(parent: Path) -> Iterator[Path]:
    while True:
        yield Path(tempfile.mkdtemp(dir=parent, prefix=f"{datetime.now(UTC):%H%M%S}-"))


def _assert_stored(path: Path, table: str, rows: int) -> None:
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(f"select count(*) from {table}").fetchone()
    assert found == (rows,), f"{found} of {rows} rows"
