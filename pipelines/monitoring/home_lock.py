"""One writer a home: the lock that runs hold, and all who open the build database.

The lock belongs to the process (flock): a killed run leaves nothing behind. No Dagster.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from pipelines.config.settings import Settings
from pipelines.monitoring.time_limit import time_limit

logger = logging.getLogger("sluice")


# Locks that this process holds: what a command does under one of them needs no second one.
_HELD: set[Path] = set()
# Who only reads the memory of a home holds its lock for a moment, which is nothing to tell of.
_PATIENCE, _PAUSE = 20, 0.1
_OVER = "The run takes longer than %g hours (nightly.max_hours; a backfill: a week): it is stopped."


# A backfill may wait for quota on several days; every other run is over in hours.
MAX_BACKFILL_HOURS = 7.0 * 24


@contextmanager
def hold_lock(path: Path, max_hours: float | None = None) -> Iterator[None]:
    """Hold a home's lock; waits, and says so, while another process has it.

    Whoever holds it for more than `max_hours` is stopped: all others wait for it.
    """

    def say(holder: str) -> None:
        logger.warning(
            "Another run (process %s) works in %s: waiting until it has ended.", holder, path.parent
        )

    if path in _HELD:
        yield
        return
    with exclusive(path, on_wait=say):
        _HELD.add(path)
        try:
            with time_limit(max_hours * 3600, _OVER % max_hours) if max_hours else nullcontext():
                yield
        finally:
            _HELD.discard(path)


@contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None] = lambda holder: None) -> Iterator[None]:
    """One process at a time; `on_wait` hears the id of the one that has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        for _ in range(_PATIENCE):
            if _takes(handle, fcntl.LOCK_EX):
                break
            time.sleep(_PAUSE)
        else:
            handle.seek(0)
            on_wait(handle.read().strip() or "unknown")
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


@contextmanager
def no_run(lock_path: Path) -> Iterator[bool]:
    """Whether no run goes on; if so, none begins while the block lasts. Needs no right to write.

    For what opens the build database and is no run: DuckDB would refuse the run's own opening.
    """
    if not lock_path.exists():
        yield True
        return
    with lock_path.open(encoding="utf-8") as handle:
        yield _takes(handle, fcntl.LOCK_SH)


def is_running(lock_path: Path) -> bool:
    """Whether a run holds the lock right now."""
    with no_run(lock_path) as is_idle:
        return not is_idle


def _takes(handle: IO[str], kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def lock_path(settings: Settings) -> Path:
    """The lock file of a home."""
    return settings.home / "run.lock"
