"""Spark counts what DuckDB counts, and a night with it publishes. Run by `make spark-test`."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from pipelines.analysis.experiments.register import Per
from pipelines.clock import Clock
from pipelines.config.settings import Property, Settings
from pipelines.export.engine import DuckDb, Engine, open_engine
from pipelines.export.errors import ExportError
from pipelines.export.source import ExportSource
from pipelines.ga4.report_spec import ReportSpec
from pipelines.ingest.day_window import DayWindow
from tests.e2e.shop import (
    LAST_DAY,
    PROPERTY,
    ZONE,
    at_now,
    night,
    published_rows,
    published_sessions,
    true_sessions,
    truth_of,
)
from tests.soak.shops import hostile_names
from tests.support.routes import REPORTS, landed, simulated
from tests.unit.export.test_brute_force import NEXT, Shape, drawn
from tests.unit.export.test_experiments import SHOP, of_shop
from tests.unit.export.writing import DAY, opened, write
from tests.unit.export.writing import REPORTS as SMALL_REPORTS

Row = tuple[object, ...]


@pytest.fixture(scope="module")
def spark() -> Engine:
    """A session of this machine; a missing one is an error, not a skip."""
    return open_engine("spark", Path())


def rows(source: ExportSource, spec: ReportSpec, start: date, end: date) -> list[Row]:
    pulled = source.pull(spec, start, end, clock=Clock()).rows.select(spec.own_columns)
    found = [tuple(row.values()) for row in pulled.to_pylist()]
    # By what names a row, then by its numbers, which may differ in their last digit.
    return sorted(found, key=lambda row: [str(one) for one in row if not isinstance(one, float)])


def assert_equal(sources: Iterable[ExportSource], spec: ReportSpec, start: date, end: date) -> None:
    ours, theirs = (rows(source, spec, start, end) for source in sources)
    assert ours, spec.name
    assert len(ours) == len(theirs), spec.name
    for one, other in zip(ours, theirs, strict=True):
        for mine, yours in zip(one, other, strict=True):
            if isinstance(mine, float) and isinstance(yours, float):
                assert math.isclose(mine, yours, rel_tol=1e-9), (spec.name, one, other)
            else:
                assert mine == yours, (spec.name, one, other)


@pytest.mark.parametrize(
    ("scenario", "seed"), [("none", 1), ("server_side_orders", 2), ("checkout_tag_missing", 3)]
)
def test_every_report_of_a_simulated_shop(
    tmp_path: Path, spark: Engine, scenario: str, seed: int
) -> None:
    events = simulated(tmp_path / "events", scenario=scenario, seed=seed, days=9, sessions=40)
    if scenario == "none":
        # What visitors can write: quotes, backslashes, line breaks, long and empty names.
        for path in events.glob("*.parquet"):
            pq.write_table(hostile_names(pq.read_table(path)), path)
    start = LAST_DAY - timedelta(days=2)
    sources = [landed(events, tmp_path / "landed", start, engine) for engine in (DuckDb(), spark)]
    for spec in REPORTS:
        assert_equal(sources, spec, start, LAST_DAY)


# Few moments: many events of a session are sent at once; few users: sessions of one overlap.
SHAPES = {
    "ties": Shape(1, 600, 8, 1, 40, 0.1, 0.0, 0.0, ("a.parquet",)),
    "repeats": Shape(2, 30, 8, 20, 1, 0.0, 0.2, 0.05, ("a.parquet", "b.parquet")),
    "gaps": Shape(3, 3000, 6, 3, 4000, 0.6, 0.2, 0.0, ("a.ndjson.gz", "b.parquet")),
}


@pytest.mark.parametrize("name", sorted(SHAPES))
def test_random_sessions_with_ties_repeats_and_disorder(
    tmp_path: Path, spark: Engine, name: str
) -> None:
    shape = SHAPES[name]
    events = drawn(shape)
    for day in (DAY, NEXT):
        own = [one for one in events if one["event_date"] == f"{day:%Y%m%d}"]
        size = -(-len(own) // len(shape.files))
        for number, file in enumerate(shape.files):
            part = own[number * size : (number + 1) * size]
            again = part[: int(len(part) * shape.repeated)]
            write(tmp_path / "export" / f"events_{day:%Y%m%d}_{file}", [*part, *again])
    sources = [opened(tmp_path, tmp_path / "export", engine=engine) for engine in (DuckDb(), spark)]
    for source in sources:
        source.land(DAY, NEXT)
    for report in ("sessions_by_landing_page", "events_by_device", "users_window", "funnel",
                   "funnel_next_action"):  # fmt: skip
        assert_equal(sources, SMALL_REPORTS[report], DAY, NEXT)


@pytest.mark.parametrize("per", list(Per))
def test_an_experiment(tmp_path: Path, spark: Engine, per: Per) -> None:
    test = replace(SHOP, first=LAST_DAY - timedelta(days=5), last=LAST_DAY - timedelta(days=1))
    events = simulated(
        tmp_path / "events", scenario="none", seed=1, days=7, sessions=120, experiments=(test,)
    )
    one = of_shop(truth_of(events), per)
    start = LAST_DAY - timedelta(days=6)
    ours, theirs = (
        landed(events, tmp_path / "landed", start, engine).experiment(one)
        for engine in (DuckDb(), spark)
    )
    assert ours.exposed[-1].min() > 50
    assert (ours.days, ours.left_out, ours.notes) == (theirs.days, theirs.left_out, theirs.notes)
    for mine, yours in ((ours.primary, theirs.primary), (ours.macro, theirs.macro)):
        assert mine is not None
        assert yours is not None
        assert mine.successes.tolist() == yours.successes.tolist()
        assert mine.trials.tolist() == yours.trials.tolist()
        assert mine.variance == pytest.approx(yours.variance, nan_ok=True)
    assert ours.revenue == pytest.approx(theirs.revenue)


def test_a_whole_night_publishes_the_simulators_numbers(tmp_path: Path, spark: Engine) -> None:
    days = 14
    simulated(tmp_path / "events", scenario="none", seed=1, days=days, sessions=60)
    item = Property(
        id=PROPERTY, source="export", path=str(tmp_path / "events"), time_zone=ZONE, currency="EUR"
    )
    settings = Settings(home=tmp_path / "home", engine="spark", properties=(item,))
    window = DayWindow(LAST_DAY - timedelta(days=days - 1), LAST_DAY)
    record, _ = night(at_now(settings), window)
    assert record.status == "published", record.message
    expected = true_sessions(tmp_path / "events")
    assert published_sessions(settings) == expected
    ((ordered,),) = published_rows(
        settings, "select count(*) from marts.fct_closed_funnel where unit = 'sessions'"
    )
    assert (len(expected), ordered > 0) == (days, True)


def test_a_landed_file_that_spark_cannot_read_is_told_in_one_sentence(
    tmp_path: Path, spark: Engine
) -> None:
    with pytest.raises(ExportError, match=r"^Spark could not count the landed days \(.*\): see "):
        spark.rows([tmp_path / "2026-01-01" / "events.parquet"])


def test_without_java_one_sentence_says_what_to_do(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from pipelines.export.engine import open_engine; "
        "open_engine('spark', Path())"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "JAVA_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stderr.splitlines()[-1] == (
        "pipelines.export.errors.ExportError: Spark did not start ([JAVA_GATEWAY_EXITED] Java "
        "gateway process exited before sending its port number): install Java 17, or correct "
        "Spark's settings, or set 'engine: duckdb' in sluice.yml."
    )
