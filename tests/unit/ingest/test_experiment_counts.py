"""Experiments counted after a run's pulls: stored, kept while nothing better is there, and said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from pipelines.analysis.experiments.register import Change, Exposure, Register, Trial
from pipelines.config.settings import Property
from pipelines.experiments.exposed import Exposed, exposed_experiments
from pipelines.export.errors import ExportError
from pipelines.export.source import ExportSource
from pipelines.ga4.client import Profile
from pipelines.ingest.experiment_counts import count_experiments
from pipelines.ingest.sources import Sources
from pipelines.warehouse.change_register import remember_register
from pipelines.warehouse.connect import build_database
from tests.support.reading import fail, run
from tests.unit.export.writing import DAY, PLAN, REPORTS, event, order, write

pytestmark = pytest.mark.slow

LAST = DAY + timedelta(days=1)
TODAY = LAST + timedelta(days=1)
TRIAL = Trial(
    {"control": 0.5, "new": 0.5}, "add_to_cart", "purchase",
    # An event and a parameter of the shop's own: nothing else in the plan reads it.
    exposure=Exposure("test_seen", "arm", {"control": "A", "new": "B"}),
)  # fmt: skip
ENTRY = Change("cta", "42", "x", "product", DAY, trial=TRIAL)


def seen(user: str, arm: str, day: date, *, at: int = 0) -> dict:
    return event("test_seen", user=user, day=day, at=at, arm=arm)


# u1 and u2 see A, u3 B, u4 both; u1 adds, u3 orders; u2 had added before.
ROWS = {
    DAY: [
        seen("u1", "A", DAY), event("add_to_cart", user="u1", at=5),
        event("add_to_cart", user="u2", at=-5), seen("u2", "A", DAY),
        seen("u4", "A", DAY),
    ],
    LAST: [
        seen("u3", "B", LAST), seen("u4", "B", LAST, at=1),
        order("t1", 12.5, user="u3", day=LAST, at=9), seen("u1", "A", LAST),
    ],
}  # fmt: skip
COUNTED = [
    (DAY, "control", 2.0, 1.0, 0.0), (DAY, "new", 0.0, 0.0, 0.0),
    (LAST, "control", 0.0, 0.0, 0.0), (LAST, "new", 1.0, 0.0, 1.0),
]  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with build_database(tmp_path / "build.duckdb") as connection:
        yield connection


def counted_in(
    folder: Path,
    database: duckdb.DuckDBPyConnection,
    entry: Change = ENTRY,
    today: date = TODAY,
    rows: Mapping[date, list[dict]] = ROWS,
) -> tuple[list[tuple], tuple]:
    """The rows of its outcomes after a run, and what is said of it."""
    for day, own in rows.items():
        write(folder / "export" / f"events_{day:%Y%m%d}.ndjson", own)
    register = Register.of([entry])
    remember_register(database, register, today)
    experiments = exposed_experiments(register, PLAN)
    item = Property(
        id="42", source="export", path=str(folder / "export"), time_zone="UTC", currency="EUR"
    )
    source = ExportSource.open(folder / "landed", item, REPORTS.values(), experiments=experiments)
    source.land(LAST, LAST)
    count(database, Sources(None, {"42": source}), experiments, today)
    return stored(database)


def count(
    database: duckdb.DuckDBPyConnection,
    sources: Sources,
    experiments: tuple[Exposed, ...],
    today: date = TODAY,
) -> None:
    profile = Profile("42", "UTC", "EUR", frozenset(), is_asked=False)
    count_experiments(database, sources, [profile], experiments, LAST, today=today, settled=DAY)


def stored(database: duckdb.DuckDBPyConnection) -> tuple[list[tuple], tuple]:
    rows = database.execute(
        "select date, variant, exposed, numerator, macro_converted from ops.experiment_outcomes "
        "order by date, variant"
    ).fetchall()
    facts = database.execute(
        "select state, users_left_out, problem, note, naive_variance from ops.changes"
    ).fetchall()
    return rows, facts[0]


def test_a_parameter_that_only_an_experiment_reads_is_landed_and_counted(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    assert counted_in(tmp_path, database) == (COUNTED, ("running", 1, None, None, False))
    ((revenue,),) = database.execute(
        "select sum(revenue) from ops.experiment_outcomes where variant = 'new'"
    ).fetchall()
    assert revenue == 12.5


def test_what_was_counted_stays_until_it_is_counted_anew(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    counted_in(tmp_path, database)
    remember_register(database, Register.of([ENTRY]), TODAY)
    assert stored(database) == (COUNTED, ("running", 1, None, None, False))
    # Counted again, nothing is there twice.
    assert counted_in(tmp_path, database)[0] == COUNTED


def test_before_a_run_has_read_its_property_it_says_so(
    database: duckdb.DuckDBPyConnection,
) -> None:
    remember_register(database, Register.of([ENTRY]), TODAY)
    assert stored(database) == (
        [],
        (
            "running", None, "It has not been counted yet: a run that reads property 42 does.",
            None, None,
        ),
    )  # fmt: skip


def test_one_that_is_planned_is_not_counted(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    planned = replace(ENTRY, start=TODAY + timedelta(days=1))
    assert counted_in(tmp_path, database, planned) == ([], ("planned", *[None] * 4))


def test_an_ended_one_keeps_its_counts_where_the_events_go_and_of_a_running_one_it_is_said(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    counted_in(tmp_path, database)
    others = {day: [event("scroll", day=day)] for day in ROWS}
    ended = replace(ENTRY, end=LAST)
    assert counted_in(tmp_path, database, ended, rows=others) == (
        COUNTED, ("ended", 1, None, None, False),
    )  # fmt: skip
    found, (_, _, problem, *_) = counted_in(tmp_path, database, rows=others)
    # They stay for the case that it is taken out of the register; nothing is told of them.
    assert found == COUNTED
    assert problem.startswith("There is no test_seen with arm of the experiment 'cta' in the ")


def test_where_everybody_saw_several_variants_there_is_nobody_to_count(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    mixed = {day: [seen("u1", "A", day, at=1), seen("u1", "B", day, at=2)] for day in ROWS}
    rows, facts = counted_in(tmp_path, database, rows=mixed)
    assert [row[2:] for row in rows] == [(0, 0, 0)] * 4
    assert facts == ("running", 1, None, None, False)


def test_counts_of_another_definition_do_not_stay(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    counted_in(tmp_path, database)
    for changed in (
        replace(ENTRY, start=LAST),
        replace(ENTRY, property_id="43"),
        replace(ENTRY, trial=replace(TRIAL, primary_metric="purchase")),
        replace(ENTRY, trial=replace(TRIAL, per="session")),
    ):
        before = stored(database)
        remember_register(database, Register.of([changed]), TODAY)
        rows, (_, _, problem, *_) = stored(database)
        assert (before[0], rows) == (COUNTED, [])
        assert problem.startswith("It has not been counted yet")
        counted_in(tmp_path, database)


class Unreachable(ExportSource):
    def experiment(self, one: Exposed) -> None:  # type: ignore[override]
        raise ExportError("Spark could not count the landed days.")


def test_a_source_that_fails_leaves_the_counts_and_is_named(
    tmp_path: Path, database: duckdb.DuckDBPyConnection
) -> None:
    def fail() -> tuple[list[tuple], tuple]:
        source = Unreachable(None, None, None, frozenset())  # type: ignore[arg-type]
        experiments = exposed_experiments(Register.of([ENTRY]), PLAN)
        count(database, Sources(None, {"42": source}), experiments)
        return stored(database)

    remember_register(database, Register.of([ENTRY]), TODAY)
    why = "Spark could not count the landed days."
    assert fail() == ([], ("running", None, why, None, None))
    counted_in(tmp_path, database)
    note = f"These are an earlier run's counts: {why}"
    assert fail() == (COUNTED, ("running", 1, None, note, False))


REGISTERED = """\
cta:
  hypothesis: x
  key: add_to_cart
  start: 2026-03-10
  variants: [control, new]
  primary_metric: add_to_cart
"""


def test_the_commands_tell_what_is_published(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As publishing copies it; before that they say what to do."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sluice.yml").write_text("properties: [{id: 42, time_zone: UTC}]\nhome: .\n")
    (tmp_path / "experiments.yml").write_text(REGISTERED)
    (entry,) = json.loads(run("experiment", "list", "--json").stdout)
    assert (entry["verdict"], entry["since_night"]) == (None, "new")
    _, said = fail(monkeypatch, capsys, "experiment", "analyze", "cta")
    assert said == (
        "Error: Nothing is published of the experiment 'cta': run 'sluice nightly', which counts "
        "it from GA4.\n"
    )
    version = tmp_path / "published" / "current"
    version.mkdir(parents=True)
    with build_database(version / "sluice.duckdb") as connection:
        counted_in(tmp_path, connection)
    found = json.loads(run("experiment", "analyze", "cta", "--json").stdout)
    assert found["users_left_out"] == 1
    assert (found["naive_variance"], found["notes"]) == (False, [])
    assert [
        (row["variant"], row["exposed"], row["converted"], row["macro_converted"])
        for row in found["variants"]
    ] == [("control", 2, 1, 0), ("new", 1, 0, 1)]
    assert "In several variants, hence left out: 1 user." in run(
        "experiment", "analyze", "cta"
    ).stdout.replace("\n", " ")
