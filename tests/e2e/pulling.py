"""Ingestion alone against the emulator: nights without dbt, so that a fault costs a second."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.config.settings import Ga4, Property, Settings
from pipelines.config.tracking_plan import load_plan
from pipelines.emulator.server import Emulator, LoggedRequest, serve
from pipelines.emulator.simulator import simulate
from pipelines.ga4.client import connect
from pipelines.ga4.rate_limit import NIGHTLY, Governor, Policy
from pipelines.ga4.report_catalog import ReportSpec, build_reports
from pipelines.ingest.day_window import DayWindow
from pipelines.ingest.ingest_run import Outcome, Run, ingest
from pipelines.warehouse.connect import build_database
from tests.e2e.shop import LAST_DAY, NOW, PROPERTY, at_now
from tests.support.hand_clock import HandClock

REPORTS = {spec.name: spec for spec in build_reports(load_plan())}
# No answer changes between two pulls, but these columns do.
STAMPS = "exclude (pulled_at, pull_id)"


def specs(*names: str) -> tuple[ReportSpec, ...]:
    return tuple(REPORTS[name] for name in names)


@dataclass
class Puller:
    """One home and one emulator; `run` is a night's (or a backfill's) ingestion."""

    emulator: Emulator
    clock: HandClock
    settings: Settings
    window: DayWindow
    count: int = 0
    slept_before: int = field(default=0)

    def run(
        self,
        reports: Sequence[ReportSpec],
        faults: Any = (),
        *,
        policy: Policy = NIGHTLY,
        window: DayWindow | None = None,
    ) -> Outcome:
        """Ingest under `faults`; afterwards they are gone. The id of run n is `run<n>`."""
        self.count += 1
        self.slept_before = len(self.clock.slept)
        self.emulator.set_faults(list(faults) if isinstance(faults, tuple) else faults)
        client = connect(self.settings.ga4, Governor(policy, self.clock))
        try:
            return ingest(
                self.settings, client, tuple(reports), window or self.window,
                Run(f"run{self.count}", "test"),
            )  # fmt: skip
        finally:
            self.emulator.set_faults([])

    @property
    def waits(self) -> list[float]:
        """How many waits the last run took, as their moments."""
        return [moment.timestamp() for moment in self.clock.slept[self.slept_before :]]

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with build_database(self.settings.build_db, read_only=True) as connection:
            return connection.execute(text).fetchall()

    def rows(self, report: str, columns: str = f"* {STAMPS}") -> list[tuple[Any, ...]]:
        return self.query(f"select {columns} from raw.ga4_{report} order by all")

    def stored(self, reports: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Report → all of its rows; the database is opened once."""
        with build_database(self.settings.build_db, read_only=True) as connection:
            return {
                name: connection.execute(
                    f"select * {STAMPS} from raw.ga4_{name} order by all"
                ).fetchall()
                for name in reports
            }

    def pulls(self, report: str, columns: str) -> list[tuple[Any, ...]]:
        """What `ops.pulls` says of the last run's pulls of a report, without repetitions."""
        return self.query(
            f"select distinct {columns} from ops.pulls "
            f"where run_id = 'run{self.count}' and report = '{report}' order by all"
        )

    def copy(self, home: Path) -> Puller:
        """The same in a copy of the home."""
        shutil.copytree(self.settings.home, home)
        settings = self.settings.model_copy(update={"home": home})
        # Two hours on: what one test used of the hour's quota is back.
        self.clock.sleep_until(self.clock.now() + timedelta(hours=2))
        return Puller(self.emulator, self.clock, settings, self.window, self.count)


def window_of(days: int, last: date = LAST_DAY) -> DayWindow:
    return DayWindow(last - timedelta(days=days - 1), last)


@contextmanager
def open_puller(folder: Path, *, days: int, sessions: int) -> Iterator[Puller]:
    """Simulate, serve, and an empty home."""
    # Long after the last day: what a realistic server tells of it does not grow any more.
    clock, window = HandClock(NOW), window_of(days)
    simulate(
        folder / "events", start=window.start, days=days, seed=7, scenario="none",
        sessions_per_day=sessions, property_id=PROPERTY,
    )  # fmt: skip
    with serve([folder / "events"], now=clock.now) as emulator:
        settings = Settings(
            home=folder / "home",
            ga4=Ga4(endpoint=emulator.endpoint),
            properties=(Property(id=PROPERTY, name="Test shop", time_zone="Europe/Berlin"),),
        )
        yield Puller(emulator, clock, at_now(settings), window)


def answered(requests: Sequence[LoggedRequest], status: str) -> int:
    """How many requests ended in a gRPC status."""
    return sum(one.status == status for one in requests)
