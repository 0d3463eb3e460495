"""One clock for everything a night asks: the pipeline's, the governor's and the emulator's.

Nights of June are run as in June, so that days grow old as they do in life; nobody sleeps.
"""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from typing import Any
from unittest.mock import patch

import data_checks
import pipelines
from pipelines.ga4.quota import SystemClock
from tests.unit.clock import HandClock

# No two moments are the same: pulls are ordered by theirs.
TICK = timedelta(milliseconds=1)


class TickingClock(HandClock):
    """Goes on by a millisecond whenever somebody looks."""

    def now(self) -> datetime:
        with self._lock:
            self._now += TICK
            return self._now


class _AnyDatetime(type(datetime)):  # type: ignore[misc]
    """Real datetimes are instances of the turned class, too."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, datetime)


@contextmanager
def turned(clock: HandClock) -> Iterator[None]:
    """Everybody in the pipeline who looks at the machine's clock sees this one."""

    class Turned(datetime, metaclass=_AnyDatetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            moment = clock.now()
            return moment.astimezone(tz) if tz else moment.replace(tzinfo=None)

    _import_all()
    with ExitStack() as stack:
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] not in {"pipelines", "data_checks"}:
                continue
            if vars(module).get("datetime") is datetime:
                stack.enter_context(patch.object(module, "datetime", Turned))
        stack.enter_context(patch.object(SystemClock, "now", lambda _: clock.now()))
        stack.enter_context(
            patch.object(SystemClock, "sleep_until", lambda _, moment: clock.sleep_until(moment))
        )
        yield


def _import_all() -> None:
    """What a command imports only when it needs it would come with the real clock."""
    for package in (pipelines, data_checks):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not found.name.endswith("__main__"):
                importlib.import_module(found.name)
