"""A whole simulation: day after day, events over midnight carried on, written and swapped in."""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np

from pipelines.emulator.simulator.emit import emit_events
from pipelines.emulator.simulator.events import Batch, join, select, shuffled
from pipelines.emulator.simulator.experiments import (
    EXPOSURE_PARAMETER,
    Experiment,
    assign,
    check_experiments,
    exposure_values,
)
from pipelines.emulator.simulator.export import write_events
from pipelines.emulator.simulator.localtime import LocalDay, expected_sessions, local_day
from pipelines.emulator.simulator.page_truth import PageTruth, count_pages
from pipelines.emulator.simulator.pages import lay_out_pages
from pipelines.emulator.simulator.plan import draw_plan
from pipelines.emulator.simulator.scenarios import Leak, Scenario, SimulationError, find_scenario
from pipelines.emulator.simulator.shop import CURRENCY, DISPLAY_NAME, TIME_ZONE
from pipelines.emulator.simulator.step_factors import step_factors
from pipelines.emulator.simulator.truth import Row, Truth, count_day, write_truth
from pipelines.emulator.simulator.truth_cells import CELL_COLUMNS, cell_rows
from pipelines.emulator.simulator.truth_experiments import (
    EXPERIMENT_COLUMNS,
    ExperimentTruth,
    write_outcomes,
)
from pipelines.emulator.simulator.truth_journeys import Journeys
from pipelines.emulator.simulator.visitors import Visitors, draw_sessions, earlier_visitors

# Event-scoped custom dimensions the shop has registered; the tracking plan filters on these.
CUSTOM_DIMENSIONS = (
    "page_type",
    "percent_scrolled",
    "payment_type",
    "shipping_tier",
    "filter_name",
    "sort_by",
    EXPOSURE_PARAMETER,
)
_OWN_FILES = re.compile(r"events_\d{8}\.parquet|outcomes_\w+\.csv|property\.json|truth\.json")

PROPERTY_ID = "100000001"


@dataclass(frozen=True)
class Simulation:
    """What was written: event rows, sessions that began, local dates, and the folder."""

    events: int
    sessions: int
    days: int
    path: Path


@dataclass(frozen=True)
class _Order:
    """The checked arguments of a simulation."""

    start: date
    days: int
    seed: int
    scenario: Scenario
    experiments: tuple[Experiment, ...]
    sessions_per_day: int
    property_id: str

    @property
    def end(self) -> date:
        return self.start + timedelta(days=self.days - 1)


def simulate(
    out: Path,
    *,
    start: date,
    days: int,
    seed: int = 7,
    scenario: str = "none",
    leaks: tuple[Leak, ...] = (),
    experiments: tuple[Experiment, ...] = (),
    sessions_per_day: int = 1000,
    property_id: str = PROPERTY_ID,
    progress: Callable[[int, int], None] | None = None,
) -> Simulation:
    """Writes `days` local dates of a shop's events into the folder `out`, which then holds one
    `events_YYYYMMDD.parquet` a date, `property.json` and `truth.json`, and `outcomes_NAME.csv` of
    each experiment.

    `leaks` are planted beside those of the scenario.
    `sessions_per_day` is the yearly mean; `progress(done, days)` is called after each date. The
    same arguments give the same rows. An earlier simulation in `out` is replaced as a whole, at the
    end. Raises `SimulationError` for arguments that make no sense or a folder of someone else's.
    """
    planted = find_scenario(scenario)
    planted = replace(planted, leaks=(*planted.leaks, *leaks))
    order = _check(start, days, seed, planted, experiments, sessions_per_day, property_id)
    target = out.resolve()
    _refuse_foreign(target)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        workspace = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    except OSError as error:
        raise SimulationError(f"Cannot write beside {target}: {error.strerror}.") from error
    try:
        fresh = workspace / "new"
        fresh.mkdir()
        simulation = _write_all(fresh, order, progress)
        _swap_in(fresh, target, workspace / "old")
    finally:
        shutil.rmtree(workspace, ignore_errors=True)
    return Simulation(simulation.events, simulation.sessions, days, out)


def _swap_in(fresh: Path, target: Path, old: Path) -> None:
    """Puts the new folder in the place of the old one; the old one comes back if that fails."""
    if target.exists():
        target.rename(old)
    try:
        fresh.rename(target)
    except OSError:
        if old.exists():
            old.rename(target)
        raise


def _check(
    start: date,
    days: int,
    seed: int,
    scenario: Scenario,
    experiments: tuple[Experiment, ...],
    sessions_per_day: int,
    property_id: str,
) -> _Order:
    check_experiments(experiments)
    for name, value, least in (
        ("days", days, 1),
        ("sessions_per_day", sessions_per_day, 1),
        ("seed", seed, 0),
    ):
        if value < least:
            raise SimulationError(f"{name} is {value}: give a whole number of at least {least}.")
    if not property_id.isdigit():
        raise SimulationError(f"property_id {property_id!r} is not a number such as 100000001.")
    # Two days of room: the day after the last one has a midnight too.
    if not date(1971, 1, 1) <= start <= date.max - timedelta(days=days + 2):
        raise SimulationError(f"start {start} with {days} days lies outside the calendar.")
    return _Order(start, days, seed, scenario, experiments, sessions_per_day, property_id)


def _refuse_foreign(target: Path) -> None:
    if target.exists() and not target.is_dir():
        raise SimulationError(f"{target} is a file: name a folder for the simulation.")
    if target.is_dir():
        for entry in sorted(target.iterdir()):
            if not _OWN_FILES.fullmatch(entry.name):
                raise SimulationError(
                    f"{target} holds {entry.name}, which no simulation wrote: name another folder."
                )


def _write_all(
    folder: Path, order: _Order, progress: Callable[[int, int], None] | None
) -> Simulation:
    rng = np.random.default_rng([order.seed, order.start.toordinal()])
    pool = earlier_visitors(rng, local_day(order.start), order.sessions_per_day)
    truth, page_truth, cells = Truth(), PageTruth(), list[Row]()
    trials, values = ExperimentTruth(order.experiments), exposure_values(order.experiments)
    journeys = Journeys(missing_events=frozenset(order.scenario.missing_events))
    events = sessions = 0
    carried: Batch | None = None
    for number in range(order.days):
        day = local_day(order.start + timedelta(days=number))
        own, pool = _simulate_day(rng, day, pool, order)
        sessions += len(own.sessions)
        batch = own if carried is None else join(carried, own)
        is_today = batch.events.time_us < day.end_us
        carried = select(batch, ~is_today)
        today = shuffled(rng, select(batch, is_today))
        write_events(folder, day.day, today, values)
        truth.extend(count_day(day.day, today))
        cells += cell_rows(day.day, today)
        page_truth.extend(count_pages(day.day, select(today, ~today.events.is_sessionless)))
        journeys.add_day(day.day, today)
        trials.add_day(day.day, today)
        events += len(today.events)
        if progress is not None:
            progress(number + 1, order.days)
    journeys.close(order.end)
    outcomes, several = trials.close()
    more = {
        **page_truth.tables(),
        **journeys.tables(order.start, order.end, truth.items),
        "cells": {"columns": CELL_COLUMNS, "rows": cells},
        "experiment_outcomes": {
            "columns": EXPERIMENT_COLUMNS,
            "rows": outcomes.astype({"date": str}).to_numpy().tolist(),
        },
    }
    header = {**_header(order), "experiments": _planned(order, several)}
    write_truth(folder / "truth.json", header, truth, more)
    write_outcomes(folder, outcomes)
    _write_property(folder / "property.json", order)
    return Simulation(events, sessions, order.days, folder)


def _simulate_day(
    rng: np.random.Generator, day: LocalDay, pool: Visitors, order: _Order
) -> tuple[Batch, Visitors]:
    """Everything the sessions that begin on one local date do, past midnight too."""
    count = int(rng.poisson(expected_sessions(day.day, order.sessions_per_day)))
    sessions, pool = draw_sessions(rng, day, pool, order.sessions_per_day, count)
    dates = [(leak, *leak.dates(order.start, order.days)) for leak in order.scenario.leaks]
    open_leaks = tuple(leak for leak, first, last in dates if first <= day.day <= last)
    assigned = assign(order.experiments, order.seed, day.day, sessions)
    plan = draw_plan(rng, sessions, step_factors(sessions, open_leaks, assigned))
    pages = lay_out_pages(rng, sessions, plan)
    batch = emit_events(rng, day.day, sessions, plan, pages, order.scenario, assigned)
    return batch, pool


def _header(order: _Order) -> dict[str, object]:
    """The facts of truth.json that are not counts."""
    return {
        "property_id": order.property_id,
        "scenario": order.scenario.name,
        "seed": order.seed,
        "start": order.start.isoformat(),
        "end": order.end.isoformat(),
        "sessions_per_day": order.sessions_per_day,
        "leaks": [
            {
                "name": leak.name,
                "benchmark_key": leak.benchmark_key,
                "step_key": leak.step_key,
                "scope": [list(condition) for condition in leak.scope],
                "start_date": leak.dates(order.start, order.days)[0].isoformat(),
                "end_date": leak.dates(order.start, order.days)[1].isoformat(),
                "multiplier": leak.multiplier,
            }
            for leak in order.scenario.leaks
        ],
        "missing_events": list(order.scenario.missing_events),
        "server_side_orders": order.scenario.server_side_orders,
    }


def _planned(order: _Order, several: Mapping[str, int]) -> list[dict[str, object]]:
    """What the shop tests, and how many users saw several variants of it."""
    return [
        {
            "name": one.name,
            "step_key": one.step_key,
            "start_date": max(one.first or order.start, order.start).isoformat(),
            "end_date": min(one.last or order.end, order.end).isoformat(),
            "variants": [
                {"name": arm.name, "share": arm.share, "factor": arm.factor, "value": value}
                for arm, value in zip(one.arms, one.values, strict=True)
            ],
            "users_in_several": several[one.name],
        }
        for one in order.experiments
    ]


def _write_property(path: Path, order: _Order) -> None:
    facts = {
        "property_id": order.property_id,
        "display_name": DISPLAY_NAME,
        "time_zone": TIME_ZONE,
        "currency_code": CURRENCY,
        "custom_dimensions": list(CUSTOM_DIMENSIONS),
    }
    path.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
