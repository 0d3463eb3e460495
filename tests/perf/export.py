"""The event export: a night's landing and counting against a floor, chdb, Polars and Spark.

Every side is a process of its own over the same files of a simulated shop, and is believed only
when it tells the same numbers (what each does: `tests.perf.export_sides`). CPU-seconds are those
of the whole process, with its imports.

`EVENTS="1"` takes a million events instead of 20; of further sizes (`EVENTS="20 80"`) only ours is
measured, within 4 GiB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.tracking_plan import load_plan
from pipelines.emulator.simulator import simulate
from tests.perf.compare import Measurement

DAYS, FUNNEL_DAYS, NIGHT_DAYS = 30, 28, 4
FIRST = date(2026, 1, 1)
EVENTS_PER_SESSION = 15.5
LIMIT = 4 * 2**30
OTHERS = PROJECT_DIR / ".venv-bench" / "bin" / "python"
# A folder of packages, read beside our own environment.
SPARK = PROJECT_DIR / ".venv-spark"


@dataclass(frozen=True)
class Side:
    """What a process told: CPU-seconds, MB at its peak, and the numbers that it counted."""

    cpu: float
    peak: float
    numbers: dict[str, Any]


@dataclass(frozen=True)
class Ratio:
    """CPU-seconds of two sides, of whole processes."""

    name: str
    ours: Side
    other: Side
    target: str

    def line(self) -> str:
        return (
            f"export, {self.name}: CPU {self.ours.cpu:.1f} s / {self.other.cpu:.1f} s = "
            f"{self.ours.cpu / self.other.cpu:.2f}x (target {self.target}); "
            f"peak {self.ours.peak:,.0f} MB / {self.other.peak:,.0f} MB"
        )


@dataclass(frozen=True)
class NotMeasured:
    """A side that is not there, or did not get to its end."""

    name: str
    why: str

    def line(self) -> str:
        return f"export, {self.name}: not measured, as {self.why}"


Result = Ratio | Measurement | NotMeasured


@dataclass(frozen=True)
class Shop:
    """`DAYS` days of raw files in a folder; one more day lies beside it."""

    folder: Path
    events: int

    @classmethod
    def simulated(cls, parent: Path, millions: float) -> Shop:
        """A shop of about so many events."""
        sessions = round(millions * 1e6 / DAYS / EVENTS_PER_SESSION)
        made = simulate(parent / "all", start=FIRST, days=DAYS + 1, sessions_per_day=sessions)
        shop = cls(parent / "raw", made.events * DAYS // (DAYS + 1))
        shop.folder.mkdir()
        for path in sorted(made.path.glob("events_*.parquet"))[:DAYS]:
            path.rename(shop.folder / path.name)
        return shop

    def run(
        self, side: str, landed: Path | None = None, *, days: int = DAYS, limit: int | None = None
    ) -> Side:
        """Run a side. `landed`: where it lands; without it does the least. `days`: how many of the
        last ones are counted. `limit`: bytes of memory that it may have. Raises CalledProcessError,
        whose `stderr` says why where there was a limit.
        """
        if landed:
            landed.mkdir(exist_ok=True)
        core = next(funnel for funnel in load_plan().funnels if funnel.name == "core")
        micros = [step.micro_conversion for step in core.steps]
        asked = {
            "files": f"{self.folder}/*.parquet",
            "landed": str(landed or ""),
            "days": days,
            "funnel_from": f"{FIRST + timedelta(days=DAYS - FUNNEL_DAYS):%Y%m%d}",
            "steps": [micro.event_names[0] if micro else "session_start" for micro in micros],
        }
        python = str(OTHERS if side in {"chdb", "polars"} else sys.executable)
        command = [python, "-m", f"tests.perf.export_sides.of_{side}", json.dumps(asked)]
        done = subprocess.run(
            [*(["prlimit", f"--data={limit}"] if limit else []), *command],
            check=True, text=True, cwd=PROJECT_DIR,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE if limit else None,
            env=os.environ | ({"PYTHONPATH": str(SPARK)} if side == "spark" else {}),
        )  # fmt: skip
        told = json.loads(done.stdout.splitlines()[-1])
        return Side(told["cpu"], told["peak_kb"] * 1024 / 1e6, told["numbers"])

    def add_a_day(self) -> None:
        """The day that lies beside comes."""
        (path,) = (self.folder.parent / "all").glob("events_*.parquet")
        path.rename(self.folder / path.name)


def export_comparisons() -> Iterator[Result]:
    """All sides at the first size, and at every other one whether ours costs the same an event."""
    first, *others = map(float, os.environ.get("EVENTS", "20").split())
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop.simulated(Path(folder), first)
        whole = shop.run("sluice", Path(folder) / "sluice")
        yield from _compared(shop, whole)
    for millions in others:
        with tempfile.TemporaryDirectory() as folder:
            larger = Shop.simulated(Path(folder), millions)
            yield from _flatness(shop.events, whole, larger, Path(folder) / "sluice")


def _compared(shop: Shop, whole: Side) -> Iterator[Result]:
    folder = shop.folder.parent
    events = f"{shop.events / 1e6:.1f} million events of {DAYS} days from raw files"
    yield Measurement(f"export, {events}, peak memory", whole.peak, "MB", "at most 1,200 MB")
    lands, least_of = "that lands the same columns", "for these three results only"
    floor, name = shop.run("duckdb"), f"{events}, against"
    yield Ratio(f"{name} a SELECT that decodes the same columns", whole, floor, "at most 1.8x")
    chdb, least = _other(shop, whole, "chdb"), _other(shop, whole, "chdb", lands=False)
    yield Ratio(f"{name} chdb {lands}", whole, chdb, "at most 2.0x")
    yield Ratio(f"{name} chdb {least_of}", whole, least, "none")
    polars, little = _other(shop, whole, "polars"), _other(shop, whole, "polars", lands=False)
    yield Ratio(f"{name} Polars {lands}", whole, polars, "at most 0.7x")
    yield Ratio(f"{name} Polars {least_of}", whole, little, "none")
    if SPARK.exists():
        spark = _other(shop, whole, "spark")
        yield Ratio(f"{name} Spark {lands}", whole, spark, "at most 0.3x")
    else:
        yield NotMeasured("against Spark", "its environment is not there")
    again = shop.run("sluice", folder / "sluice")
    _agree(whole, again, "the rebuild")
    name = "counted again from landed days, against chdb from raw files"
    yield Ratio(f"{name} {lands}", again, chdb, "at most 0.7x")
    yield Ratio(f"{name} {least_of}", again, least, "none")
    shop.add_a_day()
    night = shop.run("sluice", folder / "sluice", days=NIGHT_DAYS)
    before = [row for row in whole.numbers["sessions"] if row in night.numbers["sessions"]]
    assert len(before) == NIGHT_DAYS - 1, "the night tells other sessions of the days before"
    yield Ratio("one more day, against the 30 from raw files", night, whole, "at most 0.15x")


def _other(shop: Shop, ours: Side, name: str, *, lands: bool = True) -> Side:
    side = shop.run(name, shop.folder.parent / name if lands else None)
    _agree(ours, side, name)
    return side


def _flatness(events: int, whole: Side, larger: Shop, home: Path) -> Iterator[Result]:
    name = f"{larger.events:,} events from raw files within 4 GiB"
    try:
        side = larger.run("sluice", home, limit=LIMIT)
    except subprocess.CalledProcessError as error:
        told = error.stderr.strip().splitlines() or [f"it ended with {error.returncode}"]
        yield NotMeasured(name, f"it did not get to its end ({told[-1]})")
        return
    ratio = (side.cpu / larger.events) / (whole.cpu / events)
    yield Measurement(f"export, {name}, CPU an event of that of {events:,}", 100 * ratio, "%",
                      "85 to 115 %")  # fmt: skip
    yield Measurement(f"export, {name}, peak memory", side.peak, "MB", "under 4,295 MB")


def _agree(ours: Side, other: Side, name: str) -> None:
    """A side that tells other numbers has done something else."""
    for what, numbers in ours.numbers.items():
        assert other.numbers[what] == numbers, f"{name} tells another {what}"
