"""One writer a home: the lock that runs, and whoever touches the build database, hold.

The lock belongs to the process (flock): a killed run leaves nothing behind. No Dagster.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.config.settings import Settings

logger = logging.getLogger("sluice")


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold a home's lock; waits, and says so, while another process has it."""

    def say(holder: str) -> None:
        logger.warning(
            "Another run (process %s) works in %s: waiting until it has ended.", holder, path.parent
        )

    with exclusive(path, on_wait=say):
        yield


@contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None] = lambda holder: None) -> Iterator[None]:
    """One process at a time; `on_wait` hears the id of the one that has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            on_wait(handle.read().strip() or "unknown")
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def is_running(lock_path: Path) -> bool:
    """Whether a run holds the lock right now."""
    if not lock_path.exists():
        return False
    with lock_path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def lock_path(settings: Settings) -> Path:
    """The lock file of a home."""
    return settings.home / "run.lock"
