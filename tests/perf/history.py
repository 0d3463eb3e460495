"""A night with 730 stored days against one with 30: it should cost what changed, not what is there.

Every night is a process of its own, as cron would start it, and pulls the shop's last day and
the three before it. The emulator answers from this process, so that its work does not count.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipelines.ingest.day_window import DayWindow
from tests.e2e.shop import Shop, open_shop

FEW, MANY = 30, 730
LOOKBACK = timedelta(days=3)
ROUNDS = 3
NIGHT = """
import json, sys, time
from datetime import date
from pathlib import Path
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.nightly_run import run_nightly
from tests.e2e.shop import Shop
endpoint, home, start, end = sys.argv[1:]
window = DayWindow(date.fromisoformat(start), date.fromisoformat(end))
steps, before = {}, time.process_time()
def note(step):
    global before
    now = time.process_time()
    steps[step.name] = (now - before, step.seconds)
    before = now
settings = Shop(Path(), window, endpoint).settings(Path(home))
record = run_nightly(settings, window, command="bench", on_step=note)
assert record.status == "published", record.message
print(json.dumps({"steps": steps, "cpu": time.process_time()}))
"""


@dataclass(frozen=True)
class Night:
    """Seconds of one night: of the processor, of the clock, and both by step."""

    cpu: float
    wall: float
    steps: dict[str, tuple[float, float]]


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
            f"{self.many.wall / self.few.wall:.2f}x (target at most 1.2x)\n"
            f"  CPU by step: {steps}"
        )


def history() -> History:
    """Two homes over one shop; `ROUNDS` nights each, in turns, from the same stored days."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with open_shop(folder / "events", days=MANY + 1, sessions=60) as shop:
            newest = shop.window.end - timedelta(days=1)
            for days in (FEW, MANY):
                stored = DayWindow(newest - timedelta(days=days - 1), newest)
                _night(shop, folder / str(days), stored)
            nights: dict[int, list[Night]] = {FEW: [], MANY: []}
            for _ in range(ROUNDS):
                for days, found in nights.items():
                    found.append(_next_night(shop, folder / str(days), folder / "tonight"))
    quickest = {days: min(found, key=lambda one: one.cpu) for days, found in nights.items()}
    return History(quickest[FEW], quickest[MANY])


def _next_night(shop: Shop, stored: Path, home: Path) -> Night:
    """The night of the shop's last day, in a copy of the home `stored`."""
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(stored, home, symlinks=True)
    return _night(shop, home, DayWindow(shop.window.end - LOOKBACK, shop.window.end))


def _night(shop: Shop, home: Path, window: DayWindow) -> Night:
    arguments = [shop.endpoint, str(home), str(window.start), str(window.end)]
    start = time.perf_counter()
    ended = subprocess.run(
        [sys.executable, "-c", NIGHT, *arguments], check=True, capture_output=True, text=True
    )
    wall = time.perf_counter() - start
    told = json.loads(ended.stdout.splitlines()[-1])
    return Night(told["cpu"], wall, told["steps"])
