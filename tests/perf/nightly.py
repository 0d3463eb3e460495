"""A night on tiny data with all gates, against the imports that it cannot do without."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.shop import open_shop
from tests.perf.whole_night import Night, first_night, imports, next_night

DAYS, SESSIONS, ROUNDS = 40, 300, 5


@dataclass(frozen=True)
class TinyNight:
    """The quickest of `ROUNDS` in turns: the machine's other work only ever adds."""

    night: Night
    imports: Night

    def line(self) -> str:
        """The ratio, and what each step costs."""
        steps = "; ".join(f"{name} {cpu:.2f}" for name, (cpu, _) in self.night.steps.items())
        return (
            f"nightly, {DAYS} stored days with {SESSIONS} sessions, against bare imports: "
            f"CPU {self.night.cpu:.1f} s / {self.imports.cpu:.1f} s = "
            f"{self.night.cpu / self.imports.cpu:.2f}x (target at most 3.0x), wall "
            f"{self.night.wall:.1f} s, peak {self.night.peak:,.0f} MB; CPU by step: {steps}"
        )


def tiny_night() -> TinyNight:
    """A lookback night of one property, as `sluice nightly` runs it, and the imports alone."""
    nights, bare = [], []
    with (
        tempfile.TemporaryDirectory() as folder,
        open_shop(Path(folder) / "events", days=DAYS + 1, sessions=SESSIONS) as shop,
    ):
        first_night(shop, Path(folder) / "home", DAYS)
        for _ in range(ROUNDS):
            bare.append(imports())
            nights.append(next_night(shop, Path(folder) / "home"))
    return TinyNight(min(nights, key=lambda one: one.cpu), min(bare, key=lambda one: one.cpu))
