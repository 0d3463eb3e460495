"""An experiment analysed: split, comparisons with the control, verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipelines.analysis.experiments import sample_ratio, sequential
from pipelines.analysis.experiments.comparisons import Comparison, compare
from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.metrics import USERS_SIGMA, Outcomes
from pipelines.analysis.experiments.register import LEAST_VARIANTS, SHARE_TOLERANCE
from pipelines.analysis.experiments.sizes import (
    ALPHA,
    POWER,
    times_for_looks,
    units_for_means,
    units_per_arm,
)
from pipelines.analysis.experiments.verdicts import Decision, Verdict
from pipelines.analysis.stats.arrays import Floats
from pipelines.wording import counted, nearest, shown

RELATIVE_EFFECT = 0.20
"""Smallest effect where none is given, of the control's early rate (house default)."""


@dataclass(frozen=True)
class ExperimentPlan:
    """What was decided before: shares of the variants (equal unless given), smallest effect that
    matters (absolute; `RELATIVE_EFFECT` unless given), alpha.

    `overlaps_with`: other changes that it cannot be told apart from. `has_ended`: nothing more will
    come.
    """

    name: str = "experiment"
    split: Mapping[str, float] | None = None
    smallest_effect: float | None = None
    alpha: float = ALPHA
    power: float = POWER
    overlaps_with: tuple[str, ...] = ()
    has_ended: bool = False


@dataclass(frozen=True)
class Analysis:
    """`comparisons` is empty where the split is broken, or another change was made meanwhile: the
    result is not to be seen.
    """

    plan: ExperimentPlan
    outcomes: Outcomes
    smallest_effect: float | None
    units_planned: float | None
    split: sample_ratio.SampleRatio
    comparisons: tuple[Comparison, ...]
    decision: Decision


def analyse(outcomes: Outcomes, plan: ExperimentPlan) -> Analysis:
    """Split first; where it is as planned, every variant against the control, and the verdict.

    Raises ExperimentError for fewer than two variants and a split of other variants.
    """
    if len(outcomes.variants) < LEAST_VARIANTS:
        raise ExperimentError(
            f"There is one variant, {shown(outcomes.variants[0])}: an experiment has a control and "
            "at least one other."
        )
    for name, exposed, trials in zip(
        outcomes.variants, outcomes.exposed[-1], outcomes.primary.trials[-1], strict=True
    ):
        if not min(exposed, trials) > 0:
            left_out = f", with {counted(outcomes.left_out, 'user')} in several variants left out"
            several = left_out if outcomes.left_out else ""
            raise ExperimentError(
                f"The variant {shown(name)} has no units{several}: there is no rate of it."
            )
    if outcomes.primary.is_share and (plan.smallest_effect or 0) >= 1:
        raise ExperimentError(
            f"The smallest effect is {plan.smallest_effect:g}, but rates lie between 0 and 1: 0.01 "
            "is one point."
        )
    outcomes = _with_known_variance(outcomes)
    sigma = USERS_SIGMA if outcomes.is_naive else 0.0
    split = sample_ratio.check(outcomes.exposed, _shares(outcomes, plan), sigma)
    effect = _smallest_effect(outcomes, plan)
    units = None if effect is None else _units(outcomes, effect, plan)
    if split.blocked_at is not None:
        decision = _invalid(outcomes, split, split.blocked_at)
        return Analysis(plan, outcomes, effect, units, split, (), decision)
    if plan.overlaps_with:
        decision = _overlapping(plan.overlaps_with)
        return Analysis(plan, outcomes, effect, units, split, (), decision)
    comparisons = compare(outcomes, plan.alpha, effect, units)
    if plan.has_ended:
        comparisons = tuple(replace(one, decision=_at_end(one.decision)) for one in comparisons)
    order = list(Verdict)
    best = min(
        comparisons,
        key=lambda one: (order.index(one.decision.verdict), -one.fixed.difference),
    )
    return Analysis(plan, outcomes, effect, units, split, comparisons, best.decision)


def _with_known_variance(outcomes: Outcomes) -> Outcomes:
    """Ratios of so few users are not normal yet: their variance tells neither interval nor p. That
    of GA4's aggregates holds the error of its estimates.
    """
    if outcomes.is_naive:
        macro = outcomes.macro
        return replace(
            outcomes,
            primary=replace(outcomes.primary, are_estimates=True),
            macro=None if macro is None else replace(macro, are_estimates=True),
        )
    variance = outcomes.primary.rate_variance
    if variance is None:
        return outcomes
    known = np.where(outcomes.exposed >= sequential.LEAST_UNITS, variance, np.nan)
    return replace(outcomes, primary=replace(outcomes.primary, rate_variance=known))


def _shares(outcomes: Outcomes, plan: ExperimentPlan) -> Floats:
    names = outcomes.variants
    if plan.split is None:
        return np.full(len(names), 1 / len(names))
    for name in plan.split:
        if name not in names:
            raise ExperimentError(
                f"The split names {shown(name)}, which is no variant of the file; did you mean "
                f"{shown(nearest(name, names))}?"
            )
    for name in names:
        if name not in plan.split:
            raise ExperimentError(f"The split has no share of {shown(name)}: give one of each.")
    shares = np.array([plan.split[name] for name in names])
    if not (shares > 0).all() or abs(shares.sum() - 1) > SHARE_TOLERANCE:
        raise ExperimentError(
            f"The split adds up to {shares.sum():g}: its shares have to be above 0 and to add up "
            "to 1."
        )
    return shares


def _smallest_effect(outcomes: Outcomes, plan: ExperimentPlan) -> float | None:
    """As planned, else of the control's early rate; None where nobody of the control converted."""
    if plan.smallest_effect is not None:
        return plan.smallest_effect
    effect = RELATIVE_EFFECT * sequential.early_rate(outcomes.primary, outcomes.exposed)
    return None if np.isnan(effect) else effect


def _units(outcomes: Outcomes, effect: float, plan: ExperimentPlan) -> float | None:
    """Units per arm for the smallest effect, two-sided, at alpha over the comparisons; with days
    so many that looking each of them costs no power. None where the control's users do not differ.
    """
    metric, alpha = outcomes.primary, plan.alpha / (len(outcomes.variants) - 1)
    looks = times_for_looks(alpha, plan.power) if outcomes.days else 1.0
    rate = float(metric.rate[-1, 0])
    if not metric.is_share:
        spread = float(metric.variance[-1, 0] * outcomes.exposed[-1, 0])
        return looks * units_for_means(spread, effect, alpha, plan.power) if spread > 0 else None
    other = rate + effect if rate + effect < 1 else rate - effect
    return looks * units_per_arm(rate, max(other, 0.0), alpha, plan.power)


def _invalid(outcomes: Outcomes, split: sample_ratio.SampleRatio, look: int) -> Decision:
    counts = ", ".join(
        f"'{name}' {exposed:,.0f}"
        for name, exposed in zip(outcomes.variants, outcomes.exposed[-1], strict=True)
    )
    when = f", as seen on {outcomes.days[look]}" if outcomes.days else ""
    return Decision(
        Verdict.INVALID,
        f"The units are not split as planned{when} ({counts}; p {split.p_value:.2g}, e-value "
        f"{split.e_value:.3g}): units are lost or moved in one variant, so no result is shown; "
        "find out where, and start anew.",
        None,
    )


def _at_end(decision: Decision) -> Decision:
    """What would have to go on, but does not."""
    if decision.verdict is not Verdict.KEEP_RUNNING:
        return decision
    return replace(
        decision, verdict=Verdict.UNDECIDED, reason=f"It ended too early: {decision.reason}"
    )


def _overlapping(others: tuple[str, ...]) -> Decision:
    names = ", ".join(f"'{one}'" for one in others)
    return Decision(
        Verdict.INVALID,
        f"It overlaps with {names}, at the same days, devices and pages and at the same or a "
        "neighbouring stage: which of them did what cannot be told, so no result is shown; run one "
        "at a time.",
        None,
    )
