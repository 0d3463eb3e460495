"""Every variant against the control, by every method, with what each should lead to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from math import sqrt

import numpy as np

from pipelines.analysis.experiments import bayesian, fixed_horizon, sequential
from pipelines.analysis.experiments.metrics import Metric, Outcomes
from pipelines.analysis.experiments.verdicts import Bounds, Decision, Evidence, Verdict, decide


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


def compare(
    outcomes: Outcomes, alpha: float, smallest_effect: float | None, units_planned: float | None
) -> tuple[Comparison, ...]:
    """One a variant: p by Holm, intervals by alpha over all of them (Bonferroni).

    `smallest_effect` is absolute, `units_planned` is for each arm; without them the only verdict is
    to go on.
    """
    return _Family(outcomes, alpha, smallest_effect, units_planned).made()


class _Family:
    """All variants against the control, as one family of tests."""

    def __init__(
        self, outcomes: Outcomes, alpha: float, effect: float | None, units: float | None
    ) -> None:
        self._outcomes, self._effect, self._units = outcomes, effect, units
        self._numbers = range(1, len(outcomes.variants))
        self._family_alpha, self._alpha = alpha, alpha / len(self._numbers)
        self._fixed = [
            fixed_horizon.compare(self._outcomes.primary, one, self._alpha) for one in self._numbers
        ]
        self._holm = fixed_horizon.holm(np.array([one.p_value for one in self._fixed]))
        self._looks = [self._look(self._outcomes.primary, one) for one in self._numbers]
        self._sequential_holm = fixed_horizon.holm(
            np.array([one.p_value[-1] for one in self._looks])
        )

    def made(self) -> tuple[Comparison, ...]:
        """One comparison a variant."""
        return tuple(self._compared(number) for number in self._numbers)

    def _look(self, metric: Metric, variant: int) -> sequential.Looks:
        return sequential.look(
            metric, self._outcomes.exposed, variant, self._tau(metric), self._alpha
        )

    def _tau(self, metric: Metric) -> float:
        """The smallest effect, on the macro rate the same relative one; NaN where none is known."""
        effect = self._effect
        if effect is None:
            return float("nan")
        if metric is self._outcomes.primary:
            return effect
        macro, primary = (
            sequential.early_rate(one, self._outcomes.exposed)
            for one in (metric, self._outcomes.primary)
        )
        return effect * macro / primary

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
            days=self._days(variant),
            macro=None if macro is None else fixed_horizon.compare(macro, variant, self._alpha),
            macro_looks=macro_looks,
            decision=Decision(Verdict.KEEP_RUNNING, "", None),
        )
        return replace(made, decision=decide(self._evidence(made, variant)))

    def _days(self, variant: int) -> fixed_horizon.Days | None:
        """None where looks are no days of their own: GA4's totals are those up to a day."""
        outcomes = self._outcomes
        if outcomes.is_naive or not outcomes.days:
            return None
        return fixed_horizon.days_better(outcomes.primary, variant)

    def _evidence(self, made: Comparison, variant: int) -> Evidence:
        outcomes, units = self._outcomes, self._units
        there = 2 / (1 / outcomes.exposed[-1, [0, variant]]).sum()
        times = float(there / units) if units else None
        # One look at the planned end is the fixed horizon's; all others are the mSPRT's.
        is_end = not outcomes.days and times is not None and times >= 1
        place = variant - 1
        macro = None
        if outcomes.macro is not None and made.macro is not None and made.macro_looks is not None:
            macro = self._bounds(outcomes.macro, variant, made.macro, made.macro_looks, is_end)
        return Evidence(
            variant=made.variant,
            primary=self._bounds(outcomes.primary, variant, made.fixed, made.looks, is_end),
            p_value=float((self._holm if is_end else self._sequential_holm)[place]),
            p_at_end=made.p_holm,
            alpha=self._family_alpha,
            times_planned=times,
            has_effect=self._effect is not None,
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
        noise = float(metric.noise[-1, variant] + metric.noise[-1, 0])
        tau, rate = self._tau(metric), float(metric.rate[-1, 0])

        def half_of_end(times: float) -> float:
            return (fixed.ci_high - fixed.ci_low) / 2 / sqrt(times)

        def half_of_looks(times: float) -> float:
            left = (variance - noise) / times + noise
            half = sequential.half_width(np.array([left]), tau, self._alpha)
            return float(half[0])

        if is_end:
            return Bounds(
                *(fixed.difference, fixed.ci_low, fixed.ci_high),
                *(rate, metric.is_share, half_of_end),
            )
        low, high = float(looks.ci_low[-1]), float(looks.ci_high[-1])
        return Bounds(fixed.difference, low, high, rate, metric.is_share, half_of_looks)
