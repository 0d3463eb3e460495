"""A registered experiment with its outcomes: from the register to the analysis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb

from pipelines.analysis.experiments.analysis import Analysis, ExperimentPlan, analyse
from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import Change, Register, Trial
from pipelines.analysis.experiments.sizes import ALPHA
from pipelines.analysis.experiments.stored import from_rows, refuse_stored_variants
from pipelines.errors import WarehouseError
from pipelines.experiments.reading import read_outcomes
from pipelines.warehouse.connect import published_database
from pipelines.wording import nearest, shown

_FACTS = "select problem, users_left_out, note, naive_variance from ops.changes where change_id = ?"
_ROWS = "select * from ops.experiment_outcomes where change_id = ?"


def read_registered(entry: Change, trial: Trial, today: date) -> Outcomes:
    """The outcomes in the experiment's file, the control first as registered.

    Raises ExperimentError: a file that cannot be right, other variants, or days that are not the
    experiment's.
    """
    assert trial.outcomes is not None, "an experiment that is counted from GA4 has no file"
    outcomes = read_outcomes(trial.outcomes, today)
    for day in (outcomes.days[:1] if outcomes.days else ()) + outcomes.days[-1:]:
        if day < entry.start or (entry.end is not None and day > entry.end):
            period = f"{entry.start} to {entry.end}" if entry.end else f"{entry.start} on"
            raise ExperimentError(
                f"{trial.outcomes} has units of {day}, but the experiment {shown(entry.id)} is "
                f"registered from {period}: take them out, or correct the register."
            )
    refuse_other_variants(entry, outcomes.variants, trial)
    outcomes = outcomes.in_order(list(trial.variants))
    is_itself = trial.primary_metric == trial.guardrail
    return outcomes.with_macro_of_primary() if is_itself else outcomes


def refuse_other_variants(entry: Change, variants: Sequence[str], trial: Trial) -> None:
    """Raises ExperimentError where a file has not the variants that are registered."""
    for name in variants:
        if name not in trial.variants:
            raise ExperimentError(
                f"{trial.outcomes} has the variant {shown(name)}, which the experiment "
                f"{shown(entry.id)} has not; did you mean {shown(nearest(name, trial.variants))}?"
            )
    for name in trial.variants:
        if name not in variants:
            raise ExperimentError(
                f"{trial.outcomes} has no row of the variant {shown(name)} of the experiment "
                f"{shown(entry.id)}."
            )


def find_experiment(register: Register, name: str) -> tuple[Change, Trial]:
    """The experiment of that id; raises ExperimentError, with the nearest one if there is any."""
    known = {entry.id: (entry, trial) for entry, trial in register.experiments}
    if not known:
        raise ExperimentError(
            f"There is no file {shown(name)}, and no experiment is registered here: write it into "
            "experiments.yml beside sluice.yml, or look at 'sluice experiment list', which has "
            "what the last night read."
        )
    if name not in known:
        raise ExperimentError(
            f"There is no file and no experiment {shown(name)}; did you mean "
            f"{shown(nearest(name, known))}?"
        )
    return known[name]


def analyse_registered(
    entry: Change,
    trial: Trial,
    register: Register,
    today: date,
    published_dir: Path,
    alpha: float = ALPHA,
) -> Analysis:
    """The analysis of what its file says now, or of what the published version has counted from
    GA4; raises ExperimentError.
    """
    plan = ExperimentPlan(
        entry.id,
        trial.variants,
        trial.smallest_effect,
        alpha,
        overlaps_with=register.met(entry, today),
        has_ended=entry.end is not None and entry.end < today,
    )
    if trial.outcomes is None:
        return analyse(_published(entry, trial, published_dir), plan)
    return analyse(read_registered(entry, trial, today), plan)


def _published(entry: Change, trial: Trial, published_dir: Path) -> Outcomes:
    """What the newest version has of an experiment. Raises ExperimentError."""
    try:
        with published_database(published_dir) as connection:
            facts = connection.execute(_FACTS, [entry.id]).fetchone()
            rows = connection.execute(_ROWS, [entry.id]).df()
    except (WarehouseError, duckdb.CatalogException, duckdb.BinderException):
        facts, rows = None, None
    if facts is None or rows is None:
        raise ExperimentError(
            f"Nothing is published of the experiment {shown(entry.id)}: run 'sluice nightly', "
            "which counts it from GA4."
        )
    problem, left_out, note, is_naive = facts
    if problem is not None:
        raise ExperimentError(problem)
    refuse_stored_variants(rows["variant"], trial.variants)
    return replace(
        from_rows(rows, list(trial.variants), left_out or 0),
        notes=(note,) if note else (),
        is_naive=bool(is_naive),
    )
