"""Times two ways of doing the same, in turns, and tells the ratio."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Comparison:
    """Median seconds of ours and of the alternative."""

    name: str
    ours: float
    other: float
    target: str

    def line(self) -> str:
        ratio = self.ours / self.other
        return (
            f"{self.name}: {self.ours:.2f} s against {self.other:.2f} s = {ratio:.2f}x "
            f"({1 / ratio:.1f} times as fast; target {self.target})"
        )


@dataclass(frozen=True)
class Measurement:
    """One number that has a target of its own."""

    name: str
    value: float
    unit: str
    target: str

    def line(self) -> str:
        return f"{self.name}: {self.value:,.0f} {self.unit} (target {self.target})"


def compare(
    name: str, ours: Callable[[], None], other: Callable[[], None], *, rounds: int, target: str
) -> Comparison:
    """Run both `rounds` times, alternating, so that a busy moment hits both."""
    seconds: dict[str, list[float]] = {"ours": [], "other": []}
    for _ in range(rounds):
        for label, call in (("ours", ours), ("other", other)):
            start = time.perf_counter()
            call()
            seconds[label].append(time.perf_counter() - start)
    return Comparison(
        name, statistics.median(seconds["ours"]), statistics.median(seconds["other"]), target
    )
