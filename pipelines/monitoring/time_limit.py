"""A limit on the time of a run: one that hangs must not keep all later ones waiting."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What a run has to end in order after its time is up; then the process ends as it is.
GRACE_SECONDS = 120.0
EXIT_HUNG = 1
logger = logging.getLogger("sluice")


@contextmanager
def time_limit(seconds: float, message: str, grace: float = GRACE_SECONDS) -> Iterator[None]:
    """Ask this process to stop (SIGTERM) when the block takes longer than `seconds`.

    `message` is logged as an error. A block that has not ended `grace` seconds later cannot: the
    process exits with 1, and so lets go of every lock. Clocks that are set do not matter.
    """
    is_over = threading.Event()

    def watch() -> None:
        if is_over.wait(seconds):
            return
        # In a thread of its own: in a process that hangs, logging may hang as well.
        threading.Thread(target=logger.error, args=[message], daemon=True).start()
        os.kill(os.getpid(), signal.SIGTERM)
        if not is_over.wait(grace):
            os._exit(EXIT_HUNG)

    threading.Thread(target=watch, name="time limit", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()
