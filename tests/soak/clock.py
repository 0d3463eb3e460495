"""One clock for everything a night looks at: the home's, the governor's and the emulator's.

Nights of June are run as in June, so that days grow old as they do in life; nobody sleeps.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from unittest.mock import patch

from pipelines.clock import Clock
from pipelines.ga4.rate_limit import SystemClock
from tests.support.hand_clock import HandClock

# No two moments are the same: pulls are ordered by theirs.
TICK = timedelta(milliseconds=1)


class TickingClock(HandClock):
    """Goes on by a millisecond whenever somebody looks."""

    def now(self) -> datetime:
        with self._lock:
            self._now += TICK
            return self._now


@contextmanager
def turned(clock: HandClock) -> Iterator[None]:
    """Whoever looks at the machine's clock sees this one, and whoever waits turns it on."""

    def sleep_until(_: SystemClock, moment: datetime) -> None:
        clock.sleep_until(moment)

    with (
        patch.object(Clock, "now", lambda _: clock.now()),
        patch.object(SystemClock, "sleep_until", sleep_until),
    ):
        yield
