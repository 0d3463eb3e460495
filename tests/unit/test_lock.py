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

from pipelines.errors import SluiceError
from pipelines.resources import hold_lock, is_running, lock_path
from pipelines.settings import Property, Settings
from pipelines.windows import plan_window

# Holds the lock, and like a run at work its database, until a line comes.
HOLDER = """
import sys
from pathlib import Path
from pipelines.resources import hold_lock
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


def test_a_night_is_planned_after_the_run_before_it(path, tmp_path, said):
    """Planning looks into the build database, which the run before it still has open."""
    settings = Settings(home=path.parent, properties=(Property(id="42", time_zone="UTC"),))
    planned: list[object] = []

    def second_run() -> None:
        try:
            planned.append(plan_window(settings, date(2026, 3, 2)).end)
        except SluiceError as error:
            planned.append(str(error))
        said.put("planned")

    with another_run(path, tmp_path / "log") as first:
        second = threading.Thread(target=second_run, daemon=True)
        second.start()
        assert "waiting until it has ended" in said.get(), planned
        first.communicate("\n")
        second.join()
    assert planned == [date(2026, 3, 2)]


def test_a_killed_run_leaves_no_lock(path, tmp_path, caplog):
    with another_run(path, tmp_path / "log") as first:
        first.kill()
        first.wait()
        assert not is_running(path)
        with hold_lock(path):
            assert is_running(path)
    assert caplog.messages == []
    assert not is_running(path)


def test_a_failing_run_lets_the_next_one_in(path, caplog):
    with pytest.raises(KeyboardInterrupt), hold_lock(path):
        raise KeyboardInterrupt
    with hold_lock(path):
        assert is_running(path)
    assert caplog.messages == []


def test_homes_do_not_wait_for_each_other(tmp_path, caplog):
    one, two = (lock_path(Settings(home=tmp_path / name)) for name in ("one", "two"))
    with hold_lock(one), hold_lock(two):
        assert is_running(one)
        assert is_running(two)
    assert caplog.messages == []


def test_a_home_without_a_run_is_not_running(path):
    assert not is_running(path)
    assert not path.exists()
