"""Hostile words from both sides: of a server that repeats what it was sent, no token is in anything
that a run writes; names that visitors chose collide with no marker of ours. Nobody but the owner,
and the group of what is published, may read any of it.

A failed run and a partly published night with a webhook, by the real command in this process, of
which also what libraries write past Python is read. What is stored is read as it is decoded: tables
by SQL, Parquet by its reader, compressed values unpacked.
"""

from __future__ import annotations

import grp
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq
import pytest

from pipelines.clock import pin_clock
from pipelines.emulator.server import Emulator, serve
from pipelines.emulator.simulator import simulate
from pipelines.file_modes import is_all_own
from pipelines.publishing.versions import SWITCH_LOCK
from tests.e2e.pulling import window_of
from tests.e2e.shop import LAST_DAY, NOW, running_now
from tests.soak.command import Ended, typed
from tests.soak.shops import HOSTILE_EVENTS, hostile_names
from tests.support.webhook_server import PATH, WebhookServer, webhook

GOOD, REFUSED = "100000001", "100000002"
MARK = "PL4NT3D"
ADDRESS_SECRET = PATH.rsplit("/", 1)[1]
# One kind of secret each.
HEADER = f"Your header was 'authorization: Bearer ya29.{MARK}-a_b.c'."
WEB_TOKEN = f"Token eyJ{MARK}.eyJ{MARK}.{MARK} has expired."
ADDRESS = f"See https://analytics.example/v1?alt=json&key={MARK}&token={MARK}#top."
KEY_FILE = f"-----BEGIN PRIVATE KEY-----\nMII{MARK}\n{MARK}\n-----END PRIVATE KEY-----\n"
WINDOW = window_of(8)


def rule(property_id: str, words: str, status: str, **when: Any) -> dict[str, Any]:
    return {"when": {"property": property_id, **when}, "do": {"status": status, "message": words}}


# The first number of each is there, so that the run begins, and fails in the middle of the job.
FAILING = [
    rule(GOOD, HEADER, "unauthenticated", method="RunReport", dimensions="date"),
    rule(REFUSED, WEB_TOKEN, "forbidden", method="RunReport", dimensions="date"),
]
# Optional things of the good property fail, each in other words; the other one may not be read.
PARTLY = [
    rule(REFUSED, HEADER, "forbidden", method="RunReport"),
    rule(GOOD, ADDRESS, "invalid", method="RunReport", dimensions="itemListName"),
    rule(GOOD, KEY_FILE, "invalid", method="RunReport", dimensions="pagePath"),
    rule(GOOD, WEB_TOKEN, "forbidden", method="GetMetadata"),
    {
        "when": {"property": GOOD, "method": "RunReport", "dimensions": ["date", "itemId"]},
        "do": {"truncate": {"before": "2026-06-25", "message": f"{HEADER} {ADDRESS}"}},
    },
]


@dataclass(frozen=True)
class Home:
    """A user's folder, and what two runs in it said."""

    folder: Path
    failed: Ended
    partly: Ended
    hook: WebhookServer

    @property
    def path(self) -> Path:
        return self.folder / "home"

    @cached_property
    def texts(self) -> dict[str, bytes]:
        """Name → content of all that the runs said and wrote, decoded."""
        return dict(_everything(self))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("leaks")
    for seed, name in enumerate((GOOD, REFUSED), start=7):
        simulate(
            folder / name, start=WINDOW.start, days=8, seed=seed, scenario="none",
            sessions_per_day=100, property_id=name,
        )  # fmt: skip
    for path in (folder / GOOD).glob("events_*.parquet"):
        pq.write_table(hostile_names(pq.read_table(path)), path)
    with serve([folder / GOOD, folder / REFUSED], now=running_now()) as emulator, webhook() as hook:
        user = folder / "user"
        _write_settings(user, emulator, hook)
        emulator.set_faults(FAILING)
        failed = _nightly(user)
        emulator.set_faults(PARTLY)
        yield Home(user, failed, _nightly(user), hook)


def _write_settings(user: Path, emulator: Emulator, hook: WebhookServer) -> None:
    """In a home as older versions left one: everybody may read it."""
    user.mkdir()
    properties = [{"id": name, "time_zone": "Europe/Berlin"} for name in (GOOD, REFUSED)]
    settings = {
        "home": "./home",
        "ga4": {"endpoint": emulator.endpoint},
        "properties": properties,
        "alerts": {"webhook": hook.address},
        "publish": {"group": grp.getgrgid(os.getegid()).gr_name},
    }
    (user / "sluice.yml").write_text(json.dumps(settings), encoding="utf-8")
    pin_clock(user / "home", NOW, [GOOD, REFUSED])
    (user / "home").chmod(0o755)


def _nightly(user: Path) -> Ended:
    """With what was written to the process's own outputs, too."""
    kept = [os.dup(number) for number in (1, 2)]
    with (user.parent / "outputs").open("w+b") as outputs:
        try:
            for number in (1, 2):
                os.dup2(outputs.fileno(), number)
            ended = typed("nightly", "--date", str(LAST_DAY), folder=user)
        finally:
            for number, own in enumerate(kept, start=1):
                os.dup2(own, number)
                os.close(own)
        outputs.seek(0)
        return replace(ended, out=ended.out + outputs.read().decode())


def test_the_runs_ended_as_they_were_meant_to(home: Home) -> None:
    assert home.failed.code != 0
    assert home.partly.code == 2, home.partly.err
    assert (home.path / "published" / "current" / "sluice.duckdb").exists()
    told = [alert["message"] for one in home.hook.messages for alert in one["alerts"]]
    assert any(REFUSED in message for message in told)


def test_no_token_is_in_anything_that_was_written(home: Home) -> None:
    texts = home.texts
    assert [name for name, text in texts.items() if MARK.encode() in text] == []
    # The server's words are there, only not these.
    told = [name for name, text in texts.items() if b"[redacted]" in text]
    assert {Path(name.split(" ")[0]).name for name in told} >= {
        "stderr-of-the-failed-run", "stderr-of-the-night", "webhook", "build.duckdb",
        "sluice.duckdb", "run.log",
    }  # fmt: skip


def test_the_address_of_the_webhook_is_in_the_settings_only(home: Home) -> None:
    found = [name for name, text in home.texts.items() if ADDRESS_SECRET.encode() in text]
    assert found == []


def test_only_the_owner_reads_the_home_and_the_group_what_is_published(home: Home) -> None:
    wrong = []
    for path in (home.path, *home.path.rglob("*")):
        # The lock of the link is of no use to readers, and made after they were let in.
        if path.is_symlink() or "current" in path.parts or path.name == SWITCH_LOCK:
            continue
        is_published = "published" in path.relative_to(home.path).parts
        folder, file = (0o750, 0o640) if is_published else (0o700, 0o600)
        expected = 0o710 if path == home.path else folder if path.is_dir() else file
        if path.stat().st_mode & 0o777 != expected:
            wrong.append((str(path.relative_to(home.path)), oct(path.stat().st_mode)))
    assert wrong == []
    assert is_all_own(home.path)


def test_no_name_of_a_visitor_is_taken_for_a_marker(home: Home) -> None:
    with duckdb.connect(str(home.path / "build.duckdb"), read_only=True) as build:

        def query(text: str) -> list[tuple[Any, ...]]:
            return build.execute(text).fetchall()

        stored = query("select distinct event_name from raw.ga4_events_by_all")
        expected = {"\\(other)" if name == "(other)" else name for name in HOSTILE_EVENTS}
        assert {name for (name,) in stored} >= expected
        assert query("select max(other_share), bool_or(has_other_row) from ops.pulls") == [
            (0.0, False)
        ]
        assert query("select count(*) from marts.fct_funnel_daily where flags like '%other%'") == [
            (0,)
        ]
        # Of the users of every event together one row a window and device, whatever is called so.
        assert query(
            "select distinct event_name from raw.ga4_users_window "
            "where event_name like '%(all)%' order by 1"
        ) == [("(all)",), ("\\(all)",)]
        actions = "marts.fct_closed_funnel_next_action"
        assert query(f"select count(*) > 0, bool_and(users <= step_users) from {actions}") == [
            (True, True)
        ]


def test_no_name_of_a_visitor_is_markup_on_the_page(home: Home) -> None:
    page = (home.path / "published" / "current" / "report.html").read_text(encoding="utf-8")
    assert "<b>{{ x }}</b>" not in page
    assert "<script>alert(1)" not in page


def _everything(home: Home) -> Iterator[tuple[str, bytes]]:
    yield "stderr-of-the-failed-run", (home.failed.err + home.failed.out).encode()
    yield "stderr-of-the-night", (home.partly.err + home.partly.out).encode()
    yield "webhook", json.dumps(home.hook.messages).encode()
    for path in home.path.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        yield str(path), path.read_bytes()
        match path.suffix:
            case ".duckdb":
                yield from _duckdb_tables(path)
            case ".db":
                yield from _sqlite_tables(path)
            case ".parquet":
                yield f"{path} (rows)", str(pq.read_table(path).to_pylist()).encode()


def _duckdb_tables(path: Path) -> Iterator[tuple[str, bytes]]:
    with duckdb.connect(str(path), read_only=True) as connection:
        for schema, table in connection.execute(
            "select schema_name, table_name from duckdb_tables()"
        ).fetchall():
            rows = connection.execute(f'select * from "{schema}"."{table}"').fetchall()
            yield f"{path} {schema}.{table}", str(rows).encode()


def _sqlite_tables(path: Path) -> Iterator[tuple[str, bytes]]:
    with closing(sqlite3.connect(path)) as connection:
        connection.text_factory = bytes
        names = connection.execute("select name from sqlite_master where type = 'table'")
        for (name,) in names.fetchall():
            for row in connection.execute(f'select * from "{name.decode()}"'):
                yield f"{path} {name.decode()}", b" ".join(map(_unpacked, row))


def _unpacked(value: Any) -> bytes:
    """Dagster compresses its run snapshots."""
    if not isinstance(value, bytes):
        return str(value).encode()
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value
