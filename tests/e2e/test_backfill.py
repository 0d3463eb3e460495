"""200 days within a standard property's quota: over hours by itself, and through twenty kills.

Requests are forty times as dear as the emulator's own price, so that the hour's 14,000 tokens are
used up several times.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.clock import pin_clock
from pipelines.config.folders import PROJECT_DIR
from pipelines.config.settings import Settings
from pipelines.emulator.server import Emulator, LoggedRequest, serve
from pipelines.emulator.simulator import simulate
from pipelines.ga4.client import connect
from pipelines.ga4.rate_limit import BACKFILL, Governor
from pipelines.ingest import ingest_run as ingest_module
from pipelines.ingest.backfill import (
    TokenPlan,
    close_backfill,
    done_days,
    open_backfill,
    plan_tokens,
)
from pipelines.ingest.ingest_run import CONCURRENT_REQUESTS, PULLS_AHEAD, profile_properties
from pipelines.ingest.pull_plan import BACKFILL_DAYS
from pipelines.warehouse import load
from pipelines.warehouse.connect import build_database
from tests.e2e.backfilling import (
    PROPERTY,
    FileClock,
    chosen_reports,
    run_backfill,
    settings_of,
)
from tests.e2e.pulling import window_of

DAYS = 200
WINDOW = window_of(DAYS)
DEAR = {"quota": {"price_factor": 40}}
RESERVE = 14_000 * 20 // 100
# Long after the last day, which does not grow any more.
STARTED = datetime(2026, 7, 31, 12, 10, tzinfo=UTC)
REPORTS = {spec.name: spec for spec in chosen_reports()}


@dataclass(frozen=True)
class Backfill:
    """An emulator with all days, the clock it shares with the backfill, and an empty home."""

    emulator: Emulator
    clock: FileClock
    clock_file: Path
    settings: Settings
    backfill_id: str

    def plan(self) -> TokenPlan:
        client = connect(self.settings.ga4, Governor(BACKFILL, self.clock))
        (profile,), _ = profile_properties(self.settings, client)
        pairs = [(profile, spec) for spec in REPORTS.values()]
        return plan_tokens(client, pairs, WINDOW, done_days(self.settings, self.backfill_id))

    def query(self, text: str) -> list[tuple[Any, ...]]:
        with build_database(self.settings.build_db, read_only=True) as connection:
            return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backfill") / "events"
    simulate(
        folder, start=WINDOW.start, days=DAYS, seed=7, scenario="none", sessions_per_day=4,
        property_id=PROPERTY,
    )  # fmt: skip
    return folder


@contextmanager
def begun(events: Path, folder: Path) -> Iterator[Backfill]:
    clock_file = folder / "clock"
    clock_file.write_text(str(STARTED.timestamp()))
    clock = FileClock(clock_file)
    with serve([events], now=clock.now) as emulator:
        emulator.set_faults(DEAR)
        settings = settings_of(folder / "home", emulator.endpoint)
        pin_clock(settings.home, STARTED, [PROPERTY])
        with build_database(settings.build_db) as connection:
            backfill_id = open_backfill(connection, settings, WINDOW)
        yield Backfill(emulator, clock, clock_file, settings, backfill_id)


def core_tokens(requests: Sequence[LoggedRequest]) -> int:
    return sum(one.tokens for one in requests if one.asked.method == "RunReport")


def test_two_hundred_days_within_the_quota(events: Path, tmp_path: Path) -> None:
    with begun(events, tmp_path) as backfill:
        plan = backfill.plan()
        probes = len(backfill.emulator.requests)
        outcome = run_backfill(backfill.settings, WINDOW, backfill.clock, backfill.backfill_id)
        used = close_backfill(backfill.settings, backfill.backfill_id)
        requests = backfill.emulator.requests[probes:]
        hours = (backfill.clock.now() - STARTED).total_seconds() / 3600
    assert (outcome.problems, outcome.failures) == ({}, {})
    # Nine reports by day, and one of windows that end on the last day.
    assert (plan.items, plan.done_items) == (9 * -(-DAYS // BACKFILL_DAYS) + 1, 0)
    assert used == pytest.approx(plan.tokens, rel=0.02)
    assert core_tokens(requests) == pytest.approx(plan.tokens, rel=0.02)
    # No request is refused: the backfill stops before the quota does, and waits.
    assert {one.status for one in requests} == {"OK"}
    assert plan.hours == -(-plan.tokens // (14_000 - RESERVE)) >= 2
    # It begins in the middle of an hour and ends in another, with full waits between them.
    assert plan.hours - 2 <= hours <= plan.hours
    assert_reserve_is_left(backfill, max(one.tokens for one in requests))
    print(
        f"\n{DAYS} days: planned {plan.tokens:,} core tokens in {plan.hours} hours, used {used:,} "
        f"({core_tokens(requests):,} by the emulator) in {hours:.1f} h, {len(requests)} requests"
    )


def assert_reserve_is_left(backfill: Backfill, at_most: int) -> None:
    for bucket in ("core", "funnel"):
        ((lowest,),) = backfill.query(
            "select coalesce(min(remaining), 14000) from ops.quota "
            f"where quota = '{bucket}_tokens_per_project_per_hour'"
        )
        assert lowest >= RESERVE - at_most


# Kills -----------------------------------------------------------------------------------------

KILLS = 20
# As by `kill -9`, each in a process of its own, in the middle of a write.
HARD = {3, 9, 15, 20}
PULLS_BETWEEN = 3


class KilledError(BaseException):
    """Goes through every `except Exception`, as a signal's KeyboardInterrupt does."""


def test_twenty_kills_pull_nothing_twice(
    events: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begun(events, tmp_path) as backfill:
        plan = backfill.plan()
        probes = len(asked(backfill))
        for number in range(1, KILLS + 1):
            done, before = done_days(backfill.settings, backfill.backfill_id), asked(backfill)
            if number in HARD:
                kill_hard(backfill)
            else:
                kill(backfill, monkeypatch, is_inside=number % 2 == 0)
            assert_asked_only_for_the_rest(asked(backfill)[len(before) :], done)
            assert len(done_days(backfill.settings, backfill.backfill_id)) > len(done)
        assert done_pulls(backfill) == KILLS * PULLS_BETWEEN
        before = asked(backfill)
        done = done_days(backfill.settings, backfill.backfill_id)
        outcome = run_backfill(backfill.settings, WINDOW, backfill.clock, backfill.backfill_id)
        assert_asked_only_for_the_rest(asked(backfill)[len(before) :], done)
        used = close_backfill(backfill.settings, backfill.backfill_id)
        hours = (backfill.clock.now() - STARTED).total_seconds() / 3600
        dearest = max(one.tokens for one in asked(backfill))
    assert (outcome.problems, outcome.failures) == ({}, {})
    assert used == pytest.approx(plan.tokens, rel=0.02)
    # A new process does not know what requests cost before it has paid for some.
    assert_reserve_is_left(backfill, CONCURRENT_REQUESTS * dearest)
    assert_everything_is_there_once(backfill)
    spent = core_tokens(asked(backfill)[probes:])
    # A kill costs what was under way or not yet written, and a first number afterwards.
    ((dearest_pull,),) = backfill.query(
        "select max(tokens) from ops.pulls where report <> 'funnel'"
    )
    assert spent - used <= KILLS * (PULLS_AHEAD + 1) * dearest_pull
    print(f"\n{KILLS} kills: planned {plan.tokens:,}, stored {used:,}, spent {spent:,} core tokens")
    assert hours > 2.5


def done_pulls(backfill: Backfill) -> int:
    ((pulls,),) = backfill.query("select count(distinct pull_id) from ops.pulls")
    return int(pulls)


def asked(backfill: Backfill) -> tuple[LoggedRequest, ...]:
    return backfill.emulator.requests


def kill(backfill: Backfill, monkeypatch: pytest.MonkeyPatch, *, is_inside: bool) -> None:
    """Abort the run after some pulls: before a write, or inside of its transaction."""
    left, write, insert = [PULLS_BETWEEN], load.replace_partitions, load.insert_rows

    def write_or_die(connection: Any, pulled: Any, *, run_id: str) -> int:
        left[0] -= 1
        if left[0] < 0 and not is_inside:
            raise KilledError
        return write(connection, pulled, run_id=run_id)

    def insert_or_die(connection: Any, table: str, rows: Any) -> None:
        insert(connection, table, rows)
        if left[0] < 0:
            raise KilledError

    with monkeypatch.context() as patch, pytest.raises(KilledError):
        patch.setattr(ingest_module, "replace_partitions", write_or_die)
        patch.setattr(load, "insert_rows", insert_or_die)
        run_backfill(backfill.settings, WINDOW, backfill.clock, backfill.backfill_id)


def kill_hard(backfill: Backfill) -> None:
    """Another process, ended by the operating system while it writes."""
    arguments = (
        backfill.settings.home, backfill.emulator.endpoint, backfill.clock_file, WINDOW.start,
        WINDOW.end, backfill.backfill_id, PULLS_BETWEEN,
    )  # fmt: skip
    ended = subprocess.run(
        [sys.executable, "-m", "tests.e2e.backfilling", *map(str, arguments)],
        cwd=PROJECT_DIR, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 9, ended.stderr


# (dimensions, metrics) tells the report by day; a custom dimension stands for the parameter.
BY_FIELDS = {
    (frozenset({"date", *spec.dimensions}), frozenset(one.api_name for one in spec.metrics)): name
    for name, spec in REPORTS.items()
    if spec.kind == "daily"
}


def report_of(request: LoggedRequest) -> str:
    """The report by day that a request belongs to; '' for others (a ranking, a first number)."""
    if request.asked.method == "RunFunnelReport":
        return "funnel"
    dimensions = frozenset(
        "parameterValue" if name.startswith("customEvent:") else name
        for name in request.asked.dimensions
    )
    if dimensions == {"eventName", "deviceCategory"}:
        return "users_window"
    return BY_FIELDS.get((dimensions, frozenset(request.asked.metrics)), "")


def assert_asked_only_for_the_rest(
    requests: Sequence[LoggedRequest], done: set[tuple[str, str, date]]
) -> None:
    for request in requests:
        report = report_of(request)
        for days in request.asked.date_ranges:
            assert (PROPERTY, report, days.end) not in done, (report, days)
            assert (PROPERTY, report, days.start) not in done or days.days > BACKFILL_DAYS


def assert_everything_is_there_once(backfill: Backfill) -> None:
    daily = [name for name, spec in REPORTS.items() if spec.kind in {"daily", "funnel"}]
    ((days, pulls),) = backfill.query(
        "select count(distinct (property_id, report, date)), count(*) from ops.pulls "
        f"where status = 'loaded' and run_id = '{backfill.backfill_id}' "
        f"and report in {tuple(daily)} and coalesce(window_name, '1d') = '1d'"
    )
    assert days == pulls == len(daily) * DAYS
    assert backfill.query(
        "select report, date, window_name from ops.pulls where status = 'loaded' "
        f"and run_id = '{backfill.backfill_id}' group by all having count(*) > 1"
    ) == []  # fmt: skip
    for name, spec in REPORTS.items():
        keys = ", ".join(("property_id", "date", *spec.key_columns))
        ((twice,),) = backfill.query(
            f"select count(*) - count(distinct ({keys})) from raw.{spec.table}"
        )
        assert twice == 0, name
