"""A clock that is turned by hand, and by whoever sleeps."""

from __future__ import annotations

import threading
from datetime import UTC, datetime

# A morning for stamps that no test looks at.
MORNING = datetime(2026, 3, 4, 4, 30, tzinfo=UTC)


class HandClock:
    """Fits `pipelines.ga4.rate_limit.Clock`; `slept` holds the moments that were waited for."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 7, 1, 12, 10, tzinfo=UTC)
        self._lock = threading.Lock()
        self.slept: list[datetime] = []

    def now(self) -> datetime:
        return self._now

    def sleep_until(self, moment: datetime) -> None:
        with self._lock:
            self.slept.append(moment)
            self._now = max(self._now, moment)

    def wake(self) -> None:
        """Nobody really sleeps here."""
