"""A night with 730 stored days against one with 30: it should cost what changed, no more."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.shop import open_shop
from tests.perf.whole_night import Night, first_night, next_night

FEW, MANY = 30, 730
ROUNDS = 3


@dataclass(frozen=True)
class History:
    """The quickest night of each home: the machine's other work only ever adds."""

    few: Night
    many: Night

    def line(self) -> str:
        """Both ratios, and where the difference is."""
        steps = "; ".join(
            f"{name} {self.few.steps[name][0]:.1f} → {cpu:.1f}"
            for name, (cpu, _) in self.many.steps.items()
        )
        return (
            f"nightly, {MANY} stored days against {FEW}: "
            f"CPU {self.many.cpu:.1f} s / {self.few.cpu:.1f} s = "
            f"{self.many.cpu / self.few.cpu:.2f}x (target at most 1.15x), "
            f"wall {self.many.wall:.1f} s / {self.few.wall:.1f} s = "
            f"{self.many.wall / self.few.wall:.2f}x (target at most 1.2x); CPU by step: {steps}"
        )


def history() -> History:
    """Two homes over one shop; `ROUNDS` nights each, in turns, from the same stored days."""
    nights: dict[int, list[Night]] = {FEW: [], MANY: []}
    with (
        tempfile.TemporaryDirectory() as folder,
        open_shop(Path(folder) / "events", days=MANY + 1, sessions=60) as shop,
    ):
        for days in nights:
            first_night(shop, Path(folder) / str(days), days)
        for _ in range(ROUNDS):
            for days, found in nights.items():
                found.append(next_night(shop, Path(folder) / str(days)))
    quickest = {days: min(found, key=lambda one: one.cpu) for days, found in nights.items()}
    return History(quickest[FEW], quickest[MANY])
