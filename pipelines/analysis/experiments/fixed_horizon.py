"""One look at the end: p and interval of a difference, Holm's correction, the sign of the days."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan

import numpy as np
from scipy import stats

from pipelines.analysis.experiments.metrics import Metric
from pipelines.analysis.stats.arrays import Floats
from pipelines.analysis.stats.intervals import has_few_expected, newcombe, two_rates_p, wilson


@dataclass(frozen=True)
class Difference:
    """variant - control, absolute: its interval, two-sided p and how both were made."""

    difference: float
    ci_low: float
    ci_high: float
    p_value: float
    method: str


def compare(metric: Metric, variant: int, alpha: float) -> Difference:
    """The variant against the control at the last look, with a 1 - alpha interval.

    Counts: pooled z, or Fisher where a cell of the table expects fewer than 5, and Newcombe's
    interval. Ratios of users: z on the delta method's variances, NaN where nobody differs.
    """
    if metric.is_share:
        own, control = metric.counts(variant), metric.counts(0)
        interval = newcombe(
            *(own.rate, wilson(own, confidence=1 - alpha)),
            *(control.rate, wilson(control, confidence=1 - alpha)),
        )
        is_small = bool(has_few_expected(own, control)[0])
        return Difference(
            float((own.rate - control.rate)[0]),
            float(interval.low[0]),
            float(interval.high[0]),
            float(two_rates_p(own, control)[0]),
            "Fisher" if is_small else "pooled z",
        )
    difference = float(metric.rate[-1, variant] - metric.rate[-1, 0])
    error = float(np.sqrt(metric.variance[-1, variant] + metric.variance[-1, 0]))
    if not error > 0:
        return Difference(difference, nan, nan, nan, "delta method")
    half = float(stats.norm.ppf(1 - alpha / 2)) * error
    p_value = float(2 * stats.norm.sf(abs(difference) / error))
    return Difference(difference, difference - half, difference + half, p_value, "delta method")


def holm(p_values: Floats) -> Floats:
    """p adjusted for the family of its shape (Holm 1979); NaN counts as a test with p 1."""
    p = np.nan_to_num(p_values, nan=1.0)
    order = np.argsort(p)
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)))
    return adjusted


@dataclass(frozen=True)
class Days:
    """On how many of the days that differ the variant was better, and the sign test's p."""

    better: int
    of: int
    sign_p_value: float


def days_better(metric: Metric, variant: int) -> Days | None:
    """Two-sided exact sign test over the days' own rates; None where no day tells them apart."""
    successes, trials = (
        np.diff(one, axis=0, prepend=0.0) for one in (metric.successes, metric.trials)
    )
    rates = Metric(successes, trials).rate
    signs = np.sign(rates[:, variant] - rates[:, 0])
    better, of = int((signs > 0).sum()), int((signs != 0).sum() - np.isnan(signs).sum())
    return Days(better, of, float(stats.binomtest(better, of).pvalue)) if of else None
