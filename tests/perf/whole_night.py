"""Whole nights as processes of their own, as cron would start them: seconds, steps and memory.

The emulator answers from the process that measures, so that its work does not count.
"""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pipelines.ingest.day_window import DayWindow
from tests.e2e.shop import Shop

LOOKBACK = timedelta(days=3)
# Not getrusage: a child's ru_maxrss starts at the size of the process that started it.
_ENDING = """
import re
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
print(json.dumps({"steps": steps, "peak_kb": int(peak)}))
"""
_NIGHT = f"""
from pipelines.garbage import collect_rarely
collect_rarely()
import json, sys, time
from datetime import date
from pathlib import Path
from pipelines.config.settings import Settings
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.nightly_run import run_nightly
settings, start, end = sys.argv[1:]
window = DayWindow(date.fromisoformat(start), date.fromisoformat(end))
steps, before = {{}}, time.process_time()
steps["start"] = (before, 0)
def note(step):
    global before
    now = time.process_time()
    steps[step.name] = (now - before, step.seconds)
    before = now
record = run_nightly(Settings.model_validate_json(settings), window, command="bench", on_step=note)
assert record.status == "published", record.message
{_ENDING}"""
_IMPORTS = f"""
import json
from pathlib import Path
import dagster, dagster_dbt, dbt.cli.main, great_expectations, duckdb, pandas
from google.analytics import data_v1alpha, data_v1beta
steps = {{}}
{_ENDING}"""


@dataclass(frozen=True)
class Night:
    """Seconds of one process from its start to its end, of the processor and of the clock; both by
    step; MB at its peak.
    """

    cpu: float
    wall: float
    peak: float
    steps: dict[str, tuple[float, float]]


def imports() -> Night:
    """What a process costs that only imports what a night needs of others."""
    return _run(_IMPORTS)


def first_night(shop: Shop, home: Path, days: int) -> None:
    """Store and publish `days` days, up to the day before the shop's last."""
    newest = shop.window.end - timedelta(days=1)
    _night(shop, home, DayWindow(newest - timedelta(days=days - 1), newest))


def next_night(shop: Shop, stored: Path) -> Night:
    """The night of the shop's last day and the three before it, in a copy of the home `stored`."""
    home = stored.with_name("tonight")
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(stored, home, symlinks=True)
    return _night(shop, home, DayWindow(shop.window.end - LOOKBACK, shop.window.end))


def _night(shop: Shop, home: Path, window: DayWindow) -> Night:
    settings = shop.settings(home).model_dump_json()
    return _run(_NIGHT, settings, str(window.start), str(window.end))


def _run(code: str, *arguments: str) -> Night:
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = json.loads(ended.stdout.splitlines()[-1])
    return Night(cpu, wall, told["peak_kb"] / 1000, told["steps"])
