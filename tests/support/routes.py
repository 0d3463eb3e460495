"""One shop by both routes: the Data API of an exact emulator, and the export below it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from pipelines.clock import Clock
from pipelines.config.settings import Ga4, Property
from pipelines.config.tracking_plan import load_plan
from pipelines.emulator.server import serve
from pipelines.emulator.simulator import Experiment, simulate
from pipelines.export.engine import Engine
from pipelines.export.source import ExportSource
from pipelines.ga4.client import connect
from pipelines.ga4.extract.pull import Pull, pull
from pipelines.ga4.report_catalog import ReportKind, build_reports
from pipelines.ga4.report_spec import ORDERED
from tests.e2e.shop import LAST_DAY, PROPERTY, ZONE, running_now

REPORTS = tuple(spec for spec in build_reports(load_plan()) if spec.kind is not ReportKind.METADATA)


def simulated(
    folder: Path,
    *,
    scenario: str,
    seed: int,
    days: int,
    sessions: int,
    experiments: tuple[Experiment, ...] = (),
) -> Path:
    """A shop up to LAST_DAY, in a folder of its own."""
    first = LAST_DAY - timedelta(days=days - 1)
    return simulate(
        folder, start=first, days=days, seed=seed, scenario=scenario, sessions_per_day=sessions,
        property_id=PROPERTY, experiments=experiments,
    ).path  # fmt: skip


def landed(events: Path, home: Path, start: date, engine: Engine | None = None) -> ExportSource:
    """The export of a simulated shop, landed from `start` to LAST_DAY."""
    item = Property(id=PROPERTY, source="export", path=str(events), time_zone=ZONE, currency="EUR")
    source = ExportSource.open(home, item, REPORTS, engine)
    source.land(start, LAST_DAY)
    assert source.failed == {}
    return source


def both_routes(events: Path, home: Path, start: date) -> Iterator[tuple[Pull, Pull]]:
    """Each report of the catalogue from `start` to LAST_DAY: of the API, and of the export."""
    source = landed(events, home, start)
    with serve([events], exact=True, now=running_now()) as emulator:
        client = connect(Ga4(endpoint=emulator.endpoint))
        for spec in REPORTS:
            told = pull(client, PROPERTY, spec, start, LAST_DAY, clock=Clock())
            yield told, source.pull(spec, start, LAST_DAY, clock=Clock())


def differences(told: Pull, counted: Pull) -> list[str]:
    """Rows, partitions and versions that only one of two pulls of a report has."""
    # What only ordered events tell has no answer of the API to be held against.
    own = set(ORDERED) if told.spec.kind is ReportKind.FUNNEL else set()
    columns = [name for name in told.spec.own_columns if name not in own]
    ours, theirs = (
        {str(row) for row in one.rows.select(columns).to_pylist()} for one in (counted, told)
    )
    found = [f"only the API: {row}" for row in theirs - ours]
    found += [f"only the export: {row}" for row in ours - theirs]
    if counted.rows.num_rows != told.rows.num_rows:
        found.append(f"{told.rows.num_rows} rows, and {counted.rows.num_rows} of the export")
    if not told.partitions.equals(counted.partitions):
        found.append("other partitions")
    if told.spec.version != counted.spec.version:
        found.append("another version")
    return sorted(f"{told.spec.name}: {one}" for one in found)
