"""One writer a home: a second run waits, says for whom, and a killed one leaves nothing."""

import logging
import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from pipelines.cli.nightly import nightly
from pipelines.clock import pin_clock
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.monitoring.home_lock import hold_lock, is_running, lock_path, no_run
from pipelines.warehouse.runs import RunRecord
from pipelines.warehouse.statuses import RunStatus
from tests.support.hand_clock import MORNING
from tests.support.protocol_server import serving

# Holds the lock, and like a run at work its database, until a line comes.
HOLDER = """
import sys
from pathlib import Path
from pipelines.monitoring.home_lock import hold_lock
from pipelines.warehouse.connect import build_database
with hold_lock(Path(sys.argv[1])), build_database(Path(sys.argv[1]).parent / "build.duckdb"):
    print("held", flush=True)
    sys.stdin.readline()
    Path(sys.argv[2]).write_text("first")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "run.lock"


@contextmanager
def another_run(path: Path, log: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the lock; a line on its standard input ends it."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), str(log)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "held\n"
            yield process
        finally:
            process.kill()


@pytest.fixture
def said() -> Iterator[queue.Queue[str]]:
    """What is logged, as it is logged."""
    messages: queue.Queue[str] = queue.Queue()
    handler = logging.Handler()
    handler.emit = lambda record: messages.put(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("sluice")
    logger.addHandler(handler)
    yield messages
    logger.removeHandler(handler)


def test_a_second_process_waits_and_says_so(path, tmp_path, said):
    log, found = tmp_path / "log", list[str]()

    def second_run() -> None:
        with hold_lock(path):
            found.append(log.read_text())
        said.put("the second run went on")

    with another_run(path, log) as first:
        assert is_running(path)
        second = threading.Thread(target=second_run, daemon=True)
        second.start()
        assert said.get() == (
            f"Another run (process {first.pid}) works in {path.parent}: waiting until it has ended."
        )
        assert found == []
        first.communicate("\n")
        second.join()
    assert found == ["first"]
    assert not is_running(path)


def test_a_second_night_waits_before_it_looks_into_the_database(path, tmp_path, said, monkeypatch):
    """Planning reads the build database, which the run before it still has open."""
    windows: list[object] = []

    def run_nightly(settings: Settings, window: DayWindow, **_: object) -> RunRecord:
        assert is_running(path), "another run may come between plan and run"
        windows.append(window.end)
        return RunRecord("r2", RunStatus.PUBLISHED, "")

    monkeypatch.setattr("pipelines.orchestration.nightly_run.run_nightly", run_nightly)
    monkeypatch.setattr("pipelines.cli.nightly.show_warnings", lambda: None)
    monkeypatch.setattr("pipelines.cli.summary.print_verdict", lambda published_dir: None)

    def second_run() -> None:
        try:
            nightly(date="2026-03-02")
        except Exception as error:
            windows.append(repr(error))
        said.put("the second night went on")

    with serving() as server, another_run(path, tmp_path / "log") as first:
        server.put("42", [])
        pin_clock(path.parent, MORNING, ["42"])
        monkeypatch.setenv("SLUICE_HOME", str(path.parent))
        monkeypatch.setenv("SLUICE_GA4_ENDPOINT", server.endpoint)
        monkeypatch.setenv("SLUICE_PROPERTIES", '[{"id": "42"}]')
        second = threading.Thread(target=second_run, daemon=True)
        second.start()
        assert "waiting until it has ended" in said.get(), windows
        first.communicate("\n")
        second.join()
    assert windows == [date(2026, 3, 2)]


def test_a_killed_run_leaves_no_lock(path, tmp_path, said):
    with another_run(path, tmp_path / "log") as first:
        first.kill()
        first.wait()
        assert not is_running(path)
        with hold_lock(path):
            assert is_running(path)
    assert said.empty()
    assert not is_running(path)


def test_a_failing_run_lets_the_next_one_in(path, said):
    with pytest.raises(KeyboardInterrupt), hold_lock(path):
        raise KeyboardInterrupt
    with hold_lock(path):
        assert is_running(path)
    assert said.empty()


def test_a_lock_within_the_lock_is_the_same(path, said):
    with hold_lock(path):
        with hold_lock(path):
            pass
        assert is_running(path)
    assert not is_running(path)
    assert said.empty()


def test_who_only_looks_holds_off_the_next_run_and_needs_no_right_to_write(path, tmp_path, said):
    with hold_lock(path):
        pass
    path.chmod(0o444)
    began = threading.Event()

    def next_run() -> None:
        with hold_lock(path):
            began.set()

    with no_run(path) as is_idle:
        assert is_idle
        with no_run(path) as other_looks_too:
            assert other_looks_too
        path.chmod(0o644)
        run = threading.Thread(target=next_run, daemon=True)
        run.start()
        assert not began.wait(0.2)
    run.join()
    assert began.is_set()
    assert said.empty()
    with another_run(path, tmp_path / "log"), no_run(path) as is_idle:
        assert not is_idle


def test_homes_do_not_wait_for_each_other(tmp_path, said):
    one, two = (lock_path(Settings(home=tmp_path / name)) for name in ("one", "two"))
    with hold_lock(one), hold_lock(two):
        assert is_running(one)
        assert is_running(two)
    assert said.empty()


def test_a_home_without_a_run_is_not_running(path):
    assert not is_running(path)
    assert not path.exists()
