"""What was asked of the emulator, so that a test can count requests and tokens."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from pipelines.emulator.server.faults.facts import Facts

# An emulator that runs for weeks must not grow for weeks.
_KEPT = 100_000


@dataclass(frozen=True)
class LoggedRequest:
    """One request: what it asked, the tokens it cost, and its gRPC status (`OK`, …)."""

    asked: Facts
    tokens: int
    status: str


class RequestLog:
    """The latest requests in the order of their answers; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[LoggedRequest] = deque(maxlen=_KEPT)

    def add(self, asked: Facts, tokens: int, status: str) -> None:
        """Notes one request."""
        with self._lock:
            self._kept.append(LoggedRequest(asked, tokens, status))

    def read(self) -> tuple[LoggedRequest, ...]:
        """All kept requests."""
        with self._lock:
            return tuple(self._kept)
