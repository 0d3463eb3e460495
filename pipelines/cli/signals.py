"""Ctrl-C and SIGTERM end a command in order; which of them it was tells its exit code.

Python hears of a signal through a handler, which a library may replace while it works (Dagster
does), and as an exception, which a library may wrap in one of its own (dbt's parser does). The
number that the interpreter itself writes for each signal is always there.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What a shell calls the end by a signal: 130 for Ctrl-C, 143 for SIGTERM.
_BY_SIGNAL = 128
_STOPS = (signal.SIGINT, signal.SIGTERM)
EXITS = {_BY_SIGNAL + number for number in _STOPS}
EXIT_INTERRUPTED = _BY_SIGNAL + signal.SIGINT


class Stopped:
    """Whether, and by what, the process was asked to stop since `heard` began."""

    def __init__(self, reader: int) -> None:
        self._reader = reader
        self._code: int | None = None

    @property
    def exit_code(self) -> int | None:
        """130 or 143 after the first signal; None before it."""
        while self._code is None:
            try:
                numbers = os.read(self._reader, 64)
            except BlockingIOError:
                break
            self._code = next((_BY_SIGNAL + one for one in numbers if one in _STOPS), None)
        return self._code


@contextmanager
def heard() -> Iterator[Stopped]:
    """SIGTERM interrupts as Ctrl-C does, and the first of them is remembered."""
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    os.set_blocking(writer, False)
    is_main = threading.current_thread() is threading.main_thread()
    # Only the main thread hears of signals: elsewhere there is nothing to set up.
    if is_main:
        term = signal.signal(signal.SIGTERM, signal.default_int_handler)
        before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield Stopped(reader)
    finally:
        if is_main:
            signal.set_wakeup_fd(before)
            signal.signal(signal.SIGTERM, term)
        os.close(reader)
        os.close(writer)
