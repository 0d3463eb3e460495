"""Looking every night without being fooled: the mixture SPRT and its always-valid interval.

Robbins 1970; Johari, Koomen, Pekelis, Walsh 2022: under no difference the chance that the statistic
ever reaches 1 / alpha is alpha at most, however often one looks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.experiments.metrics import Metric
from pipelines.analysis.stats.arrays import Floats

LEAST_UNITS = 100
"""Units in an arm below which nothing is said: the method takes rates to be normal."""

LEAST_SUCCESSES = 25
"""Conversions of the control from which on its rate is known well enough to fix a default by: to a
fifth of itself (house default)."""

LARGEST = 700.0
"""exp of more has no finite value."""


@dataclass(frozen=True)
class Looks:
    """mSPRT of one variant against the control after each look, (looks,).

    `p_value` is the smallest 1 / statistic so far. NaN (p: 1) before there is a statistic.
    """

    difference: Floats
    statistic: Floats
    p_value: Floats
    ci_low: Floats
    ci_high: Floats

    def stopped_at(self, alpha: float) -> int | None:
        """The first look whose p is alpha or less."""
        is_over = self.p_value <= alpha
        return int(is_over.argmax()) if is_over.any() else None


def look(metric: Metric, exposed: Floats, variant: int, tau: float, alpha: float) -> Looks:
    """Every look at one variant; `tau` is the smallest effect, in units of the rate, fixed ahead.

    `exposed` (looks, variants) counts units: nothing is said from fewer than 100 in an arm, nor
    while neither arm's rate varies.
    """
    difference = metric.rate[:, variant] - metric.rate[:, 0]
    variance = metric.variance[:, variant] + metric.variance[:, 0]
    is_told = (exposed[:, [0, variant]].min(axis=1) >= LEAST_UNITS) & (variance > 0)
    told = np.where(is_told, variance, np.nan)
    statistic = msprt(difference, told, tau)
    p_value = np.minimum.accumulate(np.minimum(1.0, 1 / np.nan_to_num(statistic, nan=1.0)))
    half = half_width(told, tau, alpha)
    return Looks(difference, statistic, p_value, difference - half, difference + half)


def early_rate(metric: Metric, exposed: Floats) -> float:
    """The control's rate at the first look with 25 successes and 100 units in each arm, else at the
    last: what is taken from it does not change any more. NaN where nobody of the control converted.
    """
    is_told = (exposed.min(axis=1) >= LEAST_UNITS) & (metric.successes[:, 0] >= LEAST_SUCCESSES)
    rate = float(metric.rate[is_told.argmax() if is_told.any() else -1, 0])
    return rate if rate > 0 else float("nan")


def msprt(difference: Floats, variance: Floats, tau: float) -> Floats:
    """Mixture likelihood ratio sqrt(V / (V + tau^2)) exp(tau^2 d^2 / (2 V (V + tau^2))).

    `variance` V is that of the difference d; from 1 / alpha on, d is told from 0. Shape of both.
    """
    both = variance + tau**2
    exponent = np.minimum(tau**2 * difference**2 / (2 * variance * both), LARGEST)
    statistic: Floats = np.sqrt(variance / both) * np.exp(exponent)
    return statistic


def half_width(variance: Floats, tau: float, alpha: float) -> Floats:
    """Of the interval: sqrt(V (V + tau^2) / tau^2 [ln((V + tau^2) / V) - 2 ln alpha])."""
    both = variance + tau**2
    width: Floats = np.sqrt(
        variance * both / tau**2 * (np.log(both / variance) - 2 * np.log(alpha))
    )
    return width
