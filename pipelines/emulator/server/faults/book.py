"""The faults in force: the current plan, which rules a request meets, and how often they were met.

A faults file is read again when it changes, and counting starts anew.
"""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from pipelines.emulator.server.faults.actions import Do
from pipelines.emulator.server.faults.facts import Facts
from pipelines.emulator.server.faults.plan import FaultPlan, parse_plan, read_plan
from pipelines.emulator.server.faults.realism import Realism
from pipelines.emulator.server.making import Making
from pipelines.emulator.server.quota import QuotaLimits, token_price


@dataclass(frozen=True)
class Effects:
    """All that happens to one request."""

    dos: tuple[Do, ...]
    now: datetime
    property_id: str

    @property
    def realism(self) -> Realism | None:
        """How the server answers when nothing is wrong; None is exact. The last rule decides."""
        said = [do.realism for do in self.dos if do.realism is not None]
        return said[-1] if said and said[-1] != "exact" else None

    @property
    def making(self) -> Making:
        """How numbers are made."""
        factor = math.prod(1 / do.sampling.share for do in self.dos if do.sampling)
        return (
            self.realism.making(self.property_id, factor) if self.realism else Making(factor=factor)
        )


class FaultBook:
    """Safe to use from several threads. `clock` is the emulator's own; `realism` is how it answers
    when nothing is wrong (None: exact).
    """

    def __init__(
        self,
        clock: Callable[[], datetime],
        path: Path | None = None,
        realism: Realism | None = None,
    ) -> None:
        self._clock = clock
        self._usual = (Do(realism=realism),) if realism else ()
        self._path = path
        self._lock = threading.Lock()
        self._calls: Counter[int] = Counter()
        self._stamp = self._read_stamp()
        self._plan = read_plan(path) if path else FaultPlan()

    def set(self, content: Any) -> None:
        """Puts other rules (a list), or a whole plan, in the place of what was there."""
        plan = parse_plan(content, "The faults given")
        with self._lock:
            self._plan, self._path = plan, None
            self._calls.clear()

    def now(self) -> datetime:
        """The emulator's time: the plan's clock, where it has one."""
        return self._current().clock or self._clock()

    def core_limits(self) -> QuotaLimits:
        """Limits of core reports."""
        own = self._current().quota.model_dump(
            exclude={"funnel", "price_factor"}, exclude_none=True
        )
        return replace(QuotaLimits(), **own)

    def funnel_limits(self) -> QuotaLimits:
        """Limits of funnel reports."""
        own = self._current().quota.funnel.model_dump(exclude_none=True)
        return replace(self.core_limits(), **own)

    def price(self, days: int, width: int) -> int:
        """Tokens of a report, with the plan's factor."""
        return token_price(days, width) * self._current().quota.price_factor

    def effects(self, facts: Facts) -> Effects:
        """What happens to this request; counts it for every rule it meets.

        Raises EmulatorError when the file was changed into something unreadable.
        """
        rules = self._current().rules
        met = [index for index, rule in enumerate(rules) if facts.match(rule.when)]
        with self._lock:
            self._calls.update(met)
            numbers = {index: self._calls[index] for index in met}
        return Effects(
            dos=(
                *self._usual,
                *(
                    rules[index].do
                    for index in met
                    if rules[index].when.calls.include(numbers[index])
                ),
            ),
            now=facts.now,
            property_id=facts.property_id,
        )

    def _current(self) -> FaultPlan:
        with self._lock:
            stamp = self._read_stamp()
            if self._path and stamp != self._stamp:
                self._plan = read_plan(self._path)
                self._stamp = stamp
                self._calls.clear()
            return self._plan

    def _read_stamp(self) -> tuple[int, int] | None:
        """Tells one content of the file from another without reading it."""
        if self._path is None or not self._path.exists():
            return None
        found = self._path.stat()
        return found.st_mtime_ns, found.st_size
