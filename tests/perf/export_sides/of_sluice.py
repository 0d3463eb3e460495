"""Sluice: lands the days that are not landed yet, and counts from there; all by the product's code.

Beside what the other sides do, a landed day has its exact duplicates removed, orders counted once,
sessions that go on over midnight, page paths and sums; and the funnel tells devices and seconds.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from pipelines.clock import Clock
from pipelines.config.settings import Property
from pipelines.config.tracking_plan import load_plan
from pipelines.export.files import find_files
from pipelines.export.funnels import step_counts
from pipelines.export.reports import Counter
from pipelines.export.source import ExportSource
from pipelines.ga4.date_windows import trailing
from pipelines.ga4.extract.funnel_reports import WINDOW_DAYS
from pipelines.ga4.report_catalog import build_reports
from pipelines.ga4.report_spec import ALL_DEVICES
from pipelines.garbage import give_back_memory
from tests.perf.export_sides.told import Task, task, tell


def main() -> None:
    # As `ingest` begins.
    give_back_memory()
    asked, plan = task(), load_plan()
    reports = {spec.name: spec for spec in build_reports(plan)}
    last = max(day for file in find_files(asked.files) if (day := file.day))
    first = last - timedelta(days=asked.days - 1)
    source = ExportSource.open(Path(asked.landed), _property(asked), reports.values())
    source.land(first, last)
    if source.failed:
        raise AssertionError(source.failed)
    reach = source.pull(reports["events_by_all"], first, last, clock=Clock()).rows
    sessions = source.pull(reports["sessions_by_all"], first, last, clock=Clock()).rows
    core = next(funnel for funnel in plan.funnels if funnel.name == "core")
    counter = Counter(source.landing, source.engine)
    window = trailing(WINDOW_DAYS, last)
    (table,) = step_counts(counter, core, core.steps, [window], list(source.landed))
    reached = sorted(
        (row["step_number"], row["active_users"], row["sessions"])
        for row in table.to_pylist() if row["device_category"] == ALL_DEVICES
    )  # fmt: skip
    tell(
        ((_day(row["date"]), row["event_name"], row["event_count"], row["sessions"])
         for row in reach.to_pylist()),
        ((_day(row["date"]), row["sessions"]) for row in sessions.to_pylist()),
        [users for _, users, _ in reached],
        [sessions for _, _, sessions in reached],
    )  # fmt: skip


def _property(asked: Task) -> Property:
    return Property(
        id="1", source="export", path=asked.files, time_zone="Europe/Berlin", currency="EUR"
    )


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


if __name__ == "__main__":
    main()
