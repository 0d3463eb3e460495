"""A backfill that can be killed: in this process, or `python -m tests.e2e.backfilling …`."""

from __future__ import annotations

import os
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.ga4.client import connect
from pipelines.ga4.rate_limit import BACKFILL, Governor
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Outcome, Run, ingest
from pipelines.warehouse import load

PROPERTY = "100000001"
# A backfill of all reports takes twice as long to test, and has no other kind of report.
NAMES = (
    "sessions_by_all", "events_by_all", "micro_by_all", "sessions_by_device", "events_by_device",
    "micro_by_device", "items", "users_window", "event_params", "funnel",
)  # fmt: skip


def chosen_reports() -> tuple[ReportSpec, ...]:
    """The reports of NAMES; of the funnels only the first, the others are asked for alike."""
    found = {spec.name: spec for spec in build_reports(load_plan())}
    found["funnel"] = replace(found["funnel"], funnels=found["funnel"].funnels[:1])
    return tuple(found[name] for name in NAMES)


class FileClock:
    """A clock that several processes share: its time stands in a file, sleepers put it forward."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def now(self) -> datetime:
        return datetime.fromtimestamp(float(self._path.read_text()), UTC)

    def sleep_until(self, moment: datetime) -> None:
        # Replaced whole: a reader never sees half a number; and never put back.
        with self._lock:
            if moment > self.now():
                part = self._path.with_suffix(f".{os.getpid()}")
                part.write_text(str(moment.timestamp()))
                part.replace(self._path)

    def wake(self) -> None:
        """Nobody really sleeps here."""


def settings_of(home: Path, endpoint: str) -> Settings:
    return Settings(
        home=home,
        ga4=Ga4(endpoint=endpoint),
        properties=(Property(id=PROPERTY, time_zone="Europe/Berlin"),),
    )


def run_backfill(
    settings: Settings,
    window: DayWindow,
    clock: FileClock,
    backfill_id: str,
) -> Outcome:
    """One run of a backfill until it is done, or dies."""
    client = connect(settings.ga4, Governor(BACKFILL, clock))
    run = Run(f"run {os.urandom(4).hex()}", "backfill", backfill_id)
    return ingest(settings, client, chosen_reports(), window, run)


def die_inside_a_write(after: int) -> None:
    """Kill this process at once, as `kill -9` does, in the transaction of the next pull."""
    insert, left = load.insert_rows, [after]

    def insert_or_die(connection: Any, table: str, rows: Any) -> None:
        insert(connection, table, rows)
        left[0] -= table == "pulls"
        if left[0] < 0:
            os._exit(9)

    load.insert_rows = insert_or_die


if __name__ == "__main__":
    home, endpoint, clock_file, start, end, backfill_id, after = sys.argv[1:]
    die_inside_a_write(int(after))
    run_backfill(
        settings_of(Path(home), endpoint),
        DayWindow(datetime.fromisoformat(start).date(), datetime.fromisoformat(end).date()),
        FileClock(Path(clock_file)),
        backfill_id,
    )
