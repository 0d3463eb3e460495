"""A registered experiment with its file of outcomes: from the register to the analysis."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from pipelines.analysis.experiments.analysis import Analysis, ExperimentPlan, analyse
from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import Outcomes
from pipelines.analysis.experiments.register import Change, Register, Trial
from pipelines.analysis.experiments.sizes import ALPHA
from pipelines.experiments.reading import read_outcomes
from pipelines.wording import nearest, shown


def read_registered(entry: Change, trial: Trial, today: date) -> Outcomes:
    """The outcomes in the experiment's file, the control first as registered.

    Raises ExperimentError: no file, one that cannot be right, other variants, or days that are not
    the experiment's.
    """
    if trial.outcomes is None:
        raise ExperimentError(
            f"The experiment {shown(entry.id)} names no file: add 'outcomes: PATH' of a CSV file."
        )
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
    """The experiment of that id; raises ExperimentError with the nearest one."""
    known = {entry.id: (entry, trial) for entry, trial in register.experiments}
    if name not in known:
        raise ExperimentError(
            f"There is no file and no experiment {shown(name)}; did you mean "
            f"{shown(nearest(name, known))}?"
        )
    return known[name]


def analyse_registered(
    entry: Change, trial: Trial, register: Register, today: date, alpha: float = ALPHA
) -> Analysis:
    """The analysis of what its file says now; raises ExperimentError."""
    plan = ExperimentPlan(
        entry.id,
        trial.variants,
        trial.smallest_effect,
        alpha,
        overlaps_with=register.meetings[entry.id],
        has_ended=entry.end is not None and entry.end < today,
    )
    return analyse(read_registered(entry, trial, today), plan)
