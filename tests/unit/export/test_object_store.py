"""Exports in an object store: the same numbers as the same files here, and what can be wrong.

A real server, over HTTP.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.clock import pin_clock
from pipelines.config.settings import Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.export.errors import ExportError, UnreachableStoreError
from pipelines.export.files import find_files
from pipelines.ga4.report_catalog import build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Run, ingest
from pipelines.warehouse.connect import build_database
from tests.support.object_server import ANY, BUCKET, Keys, ObjectServer, object_server
from tests.unit.export.writing import DAY, Row, event, opened, order, rows_of, write

pytestmark = pytest.mark.slow

DAYS = [DAY + timedelta(days=number) for number in range(4)]
ROWS = [event("session_start"), event("view_item", at=1), order("t1", 10.0, at=2)]
BOOT = {"item_id": "boot", "item_name": "Boot", "price": 5.0, "quantity": 1}


@pytest.fixture(scope="module")
def server() -> Iterator[ObjectServer]:
    with object_server() as running:
        yield running


@pytest.fixture
def store(server: ObjectServer, monkeypatch: pytest.MonkeyPatch) -> ObjectServer:
    server.lead(monkeypatch)
    return server


def shop(day: date, views: int = 1) -> list[Row]:
    items = [event("view_item", day=day, at=at, more={"items": [BOOT]}) for at in range(views)]
    start = event("session_start", day=day, at=-1, page_location="https://s.example/")
    return [start, *items, order(f"{day}", 5.0, day=day, at=99)]


def put(
    store: ObjectServer, folder: Path, name: str, rows: list[Row] = ROWS, rest: int | None = None
) -> str:
    """Write an object of rows, of its bytes only the first `rest`; its address."""
    content = write(folder / "made" / Path(name).name, rows).read_bytes()
    return store.put(name, content[:rest])


def test_a_night_from_a_store_loads_what_the_same_files_here_do(
    store: ObjectServer, tmp_path: Path
) -> None:
    ends = ("parquet", "ndjson", "json.gz", "parquet")
    for day, end in zip(DAYS, ends, strict=True):
        path = write(tmp_path / "2" / f"events_{day:%Y%m%d}.{end}", shop(day))
        store.put(f"night/{path.name}", path)
    paths = {"1": f"s3://{BUCKET}/night/events_*", "2": str(tmp_path / "2")}
    settings = Settings(home=tmp_path / "home", properties=tuple(
        Property(id=one, source="export", path=path, time_zone="UTC", currency="EUR")
        for one, path in paths.items()
    ))  # fmt: skip
    pin_clock(settings.home, datetime(2026, 6, 1, 12, tzinfo=UTC), ["1", "2"])
    reports = build_reports(load_plan())

    def night(first: date, last: date) -> None:
        outcome = ingest(settings, None, reports, DayWindow(first, last), Run("a night", "test"))
        assert (outcome.failures, outcome.problems) == ({}, {})

    night(DAYS[0], DAYS[2])
    assert loaded(settings, "1") == loaded(settings, "2")
    # An object that is written again has its day counted again, however old it is.
    put(store, tmp_path, f"night/events_{DAYS[0]:%Y%m%d}.parquet", shop(DAYS[0], views=3))
    write(tmp_path / "2" / f"events_{DAYS[0]:%Y%m%d}.parquet", shop(DAYS[0], views=3))
    night(DAYS[3], DAYS[3])
    found = loaded(settings, "1")
    assert found == loaded(settings, "2")
    assert len([rows for rows in found.values() if rows]) > 10
    assert next(row for row in found["ga4_events_by_all"] if "view_item" in row)[2:4] == (3, 1)


def loaded(settings: Settings, property_id: str) -> dict[str, list[tuple[object, ...]]]:
    """Raw table → its rows of a property, without what names the property and the pull."""
    with build_database(settings.build_db, read_only=True) as connection:
        names = connection.execute(
            "select table_name from information_schema.tables where table_schema = 'raw'"
        ).fetchall()
        return {
            name: connection.execute(
                "select columns(lambda name: name not in ('property_id', 'pull_id', 'pulled_at')) "
                f"from raw.{name} where property_id = ? order by all",
                [property_id],
            ).fetchall()
            for (name,) in names
        }


def test_an_object_of_the_same_size_and_another_time_is_landed_again(
    store: ObjectServer, tmp_path: Path
) -> None:
    address = put(store, tmp_path, "again/events_20260310.parquet")
    source = opened(tmp_path, address)
    source.land(DAY, DAY)
    made = source.landing.path(DAY, "day.json")
    first = made.stat().st_ino
    opened(tmp_path, address).land(DAY, DAY)
    assert made.stat().st_ino == first
    # As if it had been written some time ago: a store tells whole seconds.
    record = json.loads(made.read_text())
    record["files"][0][2] -= 1_000_000_000
    record["files"][0][3] = str(record["files"][0][2])
    made.write_text(json.dumps(record))
    opened(tmp_path, address).land(DAY, DAY)
    assert made.stat().st_ino != first


NAMES = [
    "p/events_20260309.parquet", "p/events_20260310-000.parquet", "p/events_20260310-001.json.gz",
    "p/sub/events_20260311.ndjson", "p/date=2026-03-12/a.parquet", "p/it's [1]* ä 20260313.parquet",
    "p/events_intraday_20260314.parquet", "p/_tmp/events_20260314.parquet", "p/notes.txt",
]  # fmt: skip
PATTERNS: dict[str, list[int]] = {
    "p": [0, 1, 2, 3, 4, 5],
    "p/": [0, 1, 2, 3, 4, 5],
    "p/*": [0, 1, 2, 3, 4, 5],
    "p/**": [0, 1, 2, 3, 4, 5],
    "p/events_*.parquet": [0, 1],
    "p/**/*.parquet": [0, 1, 4, 5],
    "p/date=*": [4],
    "p/sub": [3],
    "p/events_20260310-001.json.gz": [2],
}


@pytest.fixture(scope="module")
def names(server: ObjectServer) -> list[str]:
    return [server.put(name, b"x") for name in NAMES]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_patterns_match_as_they_do_here(
    store: ObjectServer, names: list[str], tmp_path: Path, pattern: str
) -> None:
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    found = find_files(f"s3://{BUCKET}/{pattern}")
    assert {file.path for file in found} == {names[place] for place in PATTERNS[pattern]}
    here = find_files(str(tmp_path / pattern))
    assert [(file.path.removeprefix(f"s3://{BUCKET}"), file.day, file.size) for file in found] == [
        (file.path.removeprefix(str(tmp_path)), file.day, file.size) for file in here
    ]
    assert all(abs(file.changed_ns / 1e9 - datetime.now(UTC).timestamp()) < 600 for file in found)


@pytest.mark.parametrize("name", ["events_20260310 [1]*.parquet", "Größe 20260310 it's.json.gz"])
def test_names_of_any_kind_are_read(store: ObjectServer, tmp_path: Path, name: str) -> None:
    put(store, tmp_path, f"any/{name[:6]}/{name}")
    source = opened(tmp_path, f"s3://{BUCKET}/any/{name[:6]}")
    source.land(DAY, DAY)
    (day,) = rows_of(source, "sessions_by_all")
    assert (day["sessions"], day["transactions"]) == (1, 1)


def every(server: ObjectServer) -> Keys:
    return server.keys("s3:*")


@dataclass(frozen=True)
class Fault:
    """How a store is spoilt, and what is said of it: `{}` is the address."""

    name: str
    words: str
    keys: Callable[[ObjectServer], Keys] = every
    path: str = ""
    endpoint: str = ""
    is_temporary: bool = False
    rest: int | None = None


REFUSED = f"The object store refuses s3://{BUCKET} "
KEYS = "correct AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."
SILENT = (
    f"The object store of s3://{BUCKET} does not answer: run the same command again when it does, "
    "or correct AWS_ENDPOINT_URL."
)
WAITS = "Property 42 waits for 2026-03-10: The export file {} "
ANEW = "write it anew from BigQuery, or correct its permissions."
FAULTS = [
    Fault(
        "nothing matches",
        f"The path s3://{BUCKET}/nowhere/events_* matches no file of an event export: correct "
        "'path' (a folder or a glob of events_YYYYMMDD.parquet, .ndjson or .json.gz).",
        path=f"s3://{BUCKET}/nowhere/events_*",
    ),
    Fault(
        "no such bucket",
        "The object store refuses s3://elsewhere (NoSuchBucket): correct the bucket in 'path'.",
        path="s3://elsewhere",
    ),
    Fault(
        "may not list",
        f"{REFUSED}(AccessDenied): permit these credentials to list the bucket and to read its "
        "objects.",
        lambda server: server.keys("s3:GetObject"),
    ),
    Fault(
        "may not read",
        WAITS + f"cannot be read (HTTP 403 Forbidden): {ANEW}",
        lambda server: server.keys("s3:ListBucket"),
    ),
    Fault("unknown key", f"{REFUSED}(InvalidAccessKeyId): {KEYS}", lambda _: ANY),
    Fault(
        "wrong secret",
        f"{REFUSED}(SignatureDoesNotMatch): {KEYS}",
        lambda server: (every(server)[0], ANY[1]),
    ),
    Fault("nobody listens", SILENT, endpoint="http://127.0.0.1:{port}", is_temporary=True),
    Fault(
        "no address",
        "The environment variable AWS_ENDPOINT_URL is no address of a server: write such as "
        "https://minio.example:9000.",
        endpoint="//planted-user:planted-secret@host",
    ),
    Fault(
        "truncated",
        WAITS + f"cannot be read (No magic bytes found at end of file): {ANEW}",
        rest=2000,
    ),
    Fault("empty", WAITS + "is empty: write it anew from BigQuery.", rest=0),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_one_sentence_and_no_secret(
    server: ObjectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture, fault: Fault,
) -> None:  # fmt: skip
    folder = f"faults/{fault.name.replace(' ', '_')}"
    address = put(server, tmp_path, f"{folder}/events_20260310.parquet", rest=fault.rest)
    keys = fault.keys(server)
    server.lead(monkeypatch, keys)
    if fault.endpoint:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL", fault.endpoint.format(port=port))
    source = opened(tmp_path, fault.path or f"s3://{BUCKET}/{folder}")
    with server.checking_keys(), pytest.raises(ExportError) as found:
        source.land(DAY, DAY)
    assert str(found.value) == fault.words.format(address)
    assert isinstance(found.value, UnreachableStoreError) == fault.is_temporary
    written = "".join(
        path.read_text(errors="replace")
        for path in (tmp_path / "landed").rglob("*") if path.is_file()
    )  # fmt: skip
    for secret in (*keys, "planted"):
        assert secret not in str(found.value) + caplog.text + written


def test_a_truncated_packed_object(store: ObjectServer, tmp_path: Path) -> None:
    address = put(store, tmp_path, "cut/events_20260310.json.gz", rest=150)
    source = opened(tmp_path, f"s3://{BUCKET}/cut")
    with pytest.raises(ExportError, match="file ended before the end-of-stream marker") as found:
        source.land(DAY, DAY)
    assert address in str(found.value)


def test_a_store_that_goes_away_while_it_is_read_is_tried_again_later(
    store: ObjectServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, tmp_path, "gone/events_20260310.parquet")
    files = find_files(f"s3://{BUCKET}/gone")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    source = opened(tmp_path, f"s3://{BUCKET}/gone")
    with pytest.raises(UnreachableStoreError) as found:
        source.landing.land(DAY, files)
    assert str(found.value) == SILENT


def test_the_object_that_cannot_be_read_is_named_among_others(
    store: ObjectServer, tmp_path: Path
) -> None:
    put(store, tmp_path, "two/events_20260310-0.parquet")
    cut = put(store, tmp_path, "two/events_20260310-1.parquet", rest=2000)
    with pytest.raises(ExportError) as found:
        opened(tmp_path, f"s3://{BUCKET}/two").land(DAY, DAY)
    assert str(found.value).startswith(f"Property 42 waits for 2026-03-10: The export file {cut} ")


def test_an_object_whose_name_has_a_question_mark(store: ObjectServer, tmp_path: Path) -> None:
    put(store, tmp_path, "mark/events_20260310?.parquet")
    with pytest.raises(ExportError) as found:
        find_files(f"s3://{BUCKET}/mark")
    assert str(found.value) == (
        f"In s3://{BUCKET} an object that 'path' matches has a ? in its name, and cannot be read: "
        "rename it, or make 'path' narrower."
    )


def test_without_the_package_nothing_is_fetched(
    store: ObjectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.export.object_store._PACKAGE", "duckdb_extension_nothing")
    with pytest.raises(ExportError) as found:
        find_files(f"s3://{BUCKET}/p")
    assert str(found.value) == (
        f"s3://{BUCKET}/p/** is in an object store, which needs the package "
        f"duckdb-extension-nothing {duckdb.__version__}: install it, or copy the files."
    )
