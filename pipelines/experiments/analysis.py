"""An experiment analysed: split, comparisons with the control, verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from math import sqrt

import numpy as np

from pipelines.analysis.stats.arrays import Floats
from pipelines.experiments import bayesian, fixed_horizon, sample_ratio, sequential
from pipelines.experiments.errors import ExperimentError
from pipelines.experiments.metrics import Metric, Outcomes
from pipelines.experiments.sizes import ALPHA, POWER, times_for_looks, units_per_arm
from pipelines.experiments.verdicts import Bounds, Decision, Evidence, Verdict, decide
from pipelines.wording import nearest, shown

RELATIVE_EFFECT = 0.20
"""Smallest effect where none is given, of the control's rate at the first look (house default)."""

DISTANCE = 1e-6


@dataclass(frozen=True)
class ExperimentPlan:
    """What was decided before: shares of the variants (equal unless given), smallest effect that
    matters (absolute; `RELATIVE_EFFECT` unless given), alpha.
    """

    name: str = "experiment"
    split: Mapping[str, float] | None = None
    smallest_effect: float | None = None
    alpha: float = ALPHA
    power: float = POWER


@dataclass(frozen=True)
class Comparison:
    """A variant against the control; `ci_` and macro's intervals hold for all variants together."""

    control: str
    variant: str
    fixed: fixed_horizon.Difference
    p_holm: float
    probability_better: float
    expected_loss: float
    looks: sequential.Looks
    stopped_on: date | None
    days: fixed_horizon.Days | None
    macro: fixed_horizon.Difference | None
    macro_looks: sequential.Looks | None
    decision: Decision


@dataclass(frozen=True)
class Analysis:
    """`comparisons` is empty where the split is broken: the result is not to be seen."""

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
    if len(outcomes.variants) < 2:  # noqa: PLR2004
        raise ExperimentError(
            f"There is one variant, {shown(outcomes.variants[0])}: an experiment has a control and "
            "at least one other."
        )
    for name, exposed, trials in zip(
        outcomes.variants, outcomes.exposed[-1], outcomes.primary.trials[-1], strict=True
    ):
        if not min(exposed, trials) > 0:
            raise ExperimentError(
                f"The variant {shown(name)} has no units: there is no rate of it."
            )
    split = sample_ratio.check(outcomes.exposed, _shares(outcomes, plan))
    effect = _smallest_effect(outcomes, plan)
    units = None if effect is None else _units(outcomes, effect, plan)
    found = Analysis(plan, outcomes, effect, units, split, (), _invalid(outcomes, split))
    if split.blocked_at is not None:
        return found
    comparisons = _Comparisons(found).made()
    order = list(Verdict)
    best = min(
        comparisons,
        key=lambda one: (order.index(one.decision.verdict), -one.fixed.difference),
    )
    return replace(found, comparisons=comparisons, decision=best.decision)


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
    if not (shares > 0).all() or abs(shares.sum() - 1) > DISTANCE:
        raise ExperimentError(
            f"The split adds up to {shares.sum():g}: its shares have to be above 0 and to add up "
            "to 1."
        )
    return shares


def _smallest_effect(outcomes: Outcomes, plan: ExperimentPlan) -> float | None:
    """As planned; else of the control's rate at the first look that says something, for good."""
    if plan.smallest_effect is not None:
        return plan.smallest_effect
    rate = outcomes.primary.rate[:, 0]
    is_told = (outcomes.exposed.min(axis=1) >= sequential.LEAST_UNITS) & (rate > 0)
    return float(rate[is_told.argmax()] * RELATIVE_EFFECT) if is_told.any() else None


def _units(outcomes: Outcomes, effect: float, plan: ExperimentPlan) -> float:
    """Units per arm for the smallest effect, two-sided, at alpha over the comparisons; with days
    so many that looking each of them costs no power.
    """
    metric, alpha = outcomes.primary, plan.alpha / (len(outcomes.variants) - 1)
    looks = times_for_looks(alpha, plan.power) if outcomes.days else 1.0
    rate = float(metric.rate[-1, 0])
    if metric.rate_variance is not None:
        # Units of the same variance as p q = 1/4 has, where the formula needs a rate.
        spread = float(metric.variance[-1, 0] * outcomes.exposed[-1, 0])
        middle = effect / np.sqrt(spread) / 4
        return looks * units_per_arm(0.5 - middle, 0.5 + middle, alpha, plan.power, "baseline")
    other = rate + effect if rate + effect < 1 else rate - effect
    return looks * units_per_arm(rate, max(other, 0.0), alpha, plan.power)


def _invalid(outcomes: Outcomes, split: sample_ratio.SampleRatio) -> Decision:
    counts = ", ".join(
        f"'{name}' {exposed:,.0f}"
        for name, exposed in zip(outcomes.variants, outcomes.exposed[-1], strict=True)
    )
    when = ""
    if outcomes.days and split.blocked_at is not None:
        when = f", as seen on {outcomes.days[split.blocked_at]}"
    return Decision(
        Verdict.INVALID,
        f"The units are not split as planned{when} ({counts}; p {split.p_value:.2g}, e-value "
        f"{split.e_value:.3g}): units are lost or moved in one variant, so no result is shown; "
        "find out where, and start anew.",
        None,
    )


class _Comparisons:
    """All variants against the control, as one family of tests."""

    def __init__(self, found: Analysis) -> None:
        self._found, self._outcomes, self._plan = found, found.outcomes, found.plan
        self._numbers = range(1, len(found.outcomes.variants))
        self._alpha = found.plan.alpha / len(self._numbers)
        self._fixed = [
            fixed_horizon.compare(self._outcomes.primary, one, self._alpha) for one in self._numbers
        ]
        self._holm = fixed_horizon.holm(np.array([one.p_value for one in self._fixed]))
        self._looks = [self._look(self._outcomes.primary, one) for one in self._numbers]
        self._sequential_holm = fixed_horizon.holm(
            np.array([one.p_value[-1] for one in self._looks])
        )

    def made(self) -> tuple[Comparison, ...]:
        return tuple(self._compared(number) for number in self._numbers)

    def _look(self, metric: Metric, variant: int) -> sequential.Looks:
        return sequential.look(
            metric, self._outcomes.exposed, variant, self._tau(metric), self._alpha
        )

    def _tau(self, metric: Metric) -> float:
        """The smallest effect, on the macro rate the same relative one; NaN where none is known."""
        effect = self._found.smallest_effect
        if effect is None:
            return float("nan")
        if metric is self._outcomes.primary:
            return effect
        rates = [one.rate[:, 0] for one in (metric, self._outcomes.primary)]
        is_told = (rates[0] > 0) & (rates[1] > 0)
        if not is_told.any():
            return float("nan")
        first = is_told.argmax()
        return float(effect * rates[0][first] / rates[1][first])

    def _compared(self, variant: int) -> Comparison:
        outcomes, place = self._outcomes, variant - 1
        macro = outcomes.macro
        looks = self._looks[place]
        macro_looks = None if macro is None else self._look(macro, variant)
        better, loss = bayesian.compare(outcomes.primary, variant)
        stopped = looks.stopped_at(self._alpha)
        made = Comparison(
            control=outcomes.variants[0],
            variant=outcomes.variants[variant],
            fixed=self._fixed[place],
            p_holm=float(self._holm[place]),
            probability_better=better,
            expected_loss=loss,
            looks=looks,
            stopped_on=None if stopped is None or not outcomes.days else outcomes.days[stopped],
            days=fixed_horizon.days_better(outcomes.primary, variant) if outcomes.days else None,
            macro=None if macro is None else fixed_horizon.compare(macro, variant, self._alpha),
            macro_looks=macro_looks,
            decision=Decision(Verdict.KEEP_RUNNING, "", None),
        )
        return replace(made, decision=decide(self._evidence(made, variant)))

    def _evidence(self, made: Comparison, variant: int) -> Evidence:
        outcomes, units = self._outcomes, self._found.units_planned
        there = 2 / (1 / outcomes.exposed[-1, [0, variant]]).sum()
        times = float(there / units) if units else 0.0
        # One look at the planned end is the fixed horizon's; all others are the mSPRT's.
        is_end = not outcomes.days and times >= 1
        place = variant - 1
        macro = None
        if outcomes.macro is not None and made.macro is not None and made.macro_looks is not None:
            macro = self._bounds(outcomes.macro, variant, made.macro, made.macro_looks, is_end)
        return Evidence(
            variant=made.variant,
            primary=self._bounds(outcomes.primary, variant, made.fixed, made.looks, is_end),
            p_value=float((self._holm if is_end else self._sequential_holm)[place]),
            p_at_end=made.p_holm,
            alpha=self._plan.alpha,
            times_planned=times,
            days=(outcomes.days[-1] - outcomes.days[0]).days + 1 if outcomes.days else None,
            macro=macro,
        )

    def _bounds(
        self,
        metric: Metric,
        variant: int,
        fixed: fixed_horizon.Difference,
        looks: sequential.Looks,
        is_end: bool,
    ) -> Bounds:
        variance = float(metric.variance[-1, variant] + metric.variance[-1, 0])
        tau, rate = self._tau(metric), float(metric.rate[-1, 0])

        def half_of_end(times: float) -> float:
            return (fixed.ci_high - fixed.ci_low) / 2 / sqrt(times)

        def half_of_looks(times: float) -> float:
            half = sequential.half_width(np.array([variance / times]), tau, self._alpha)
            return float(half[0])

        if is_end:
            return Bounds(fixed.difference, fixed.ci_low, fixed.ci_high, rate, half_of_end)
        low, high = float(looks.ci_low[-1]), float(looks.ci_high[-1])
        return Bounds(fixed.difference, low, high, rate, half_of_looks)
