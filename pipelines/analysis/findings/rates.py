"""Counts of a rate, and what they tell of it.

What belongs here: one pair of counts, or one series of days; no cube, no date.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import stats
from scipy.special import xlogy

from pipelines.analysis.stats.arrays import Floats
from pipelines.analysis.stats.leak_draws import JEFFREYS

# Fewer pairs of days than this tell nothing of the variation between them.
LEAST_PAIRS = 7


@dataclass(frozen=True)
class Counted:
    """Successes and trials of some days."""

    successes: float
    trials: float

    @classmethod
    def of(cls, successes: Floats, trials: Floats) -> Counted:
        """Their sums over the days on which both are known."""
        known = ~np.isnan(successes) & ~np.isnan(trials)
        return cls(float(successes[known].sum()), float(trials[known].sum()))

    @property
    def rate(self) -> float:
        """NaN without trials."""
        return self.successes / self.trials if self.trials > 0 else np.nan

    def shortfall(self, floor: float) -> float:
        """Successes that it lacks to the floor, at least 0."""
        return max(0.0, floor * self.trials - self.successes)

    def p_below(self, floor: float, phi: float) -> float:
        """P(rate < floor) of a Jeffreys Beta on effective trials; NaN without trials."""
        if not self.trials > 0:
            return np.nan
        trials = self.trials / phi
        hits = min(self.rate, 1.0) * trials
        return float(stats.beta.cdf(floor, hits + JEFFREYS, trials - hits + JEFFREYS))


def dispersion(successes: Floats, trials: Floats) -> float:
    """phi of daily counts, at least 1, from the differences of neighbouring days (von Neumann
    1941): unlike Pearson's, a step from one day to the next hardly moves it. 1 where fewer than
    `LEAST_PAIRS` pairs of days can tell.
    """
    has_trials = trials > 0
    x, n = np.minimum(successes, trials)[has_trials], trials[has_trials]
    # Each pair has the rate of its own days: the variance before a fall is another than after.
    together = (x[1:] + x[:-1]) / (n[1:] + n[:-1])
    expected = together * (1 - together) * (1 / n[1:] + 1 / n[:-1])
    squared = (x[1:] / n[1:] - x[:-1] / n[:-1]) ** 2
    is_told = expected > 0
    if is_told.sum() < LEAST_PAIRS:
        return 1.0
    return max(1.0, float(np.mean(squared[is_told] / expected[is_told])))


def likelihood(x: Floats, n: Floats) -> Floats:
    """Binomial log-likelihood x ln(x/n) + (n-x) ln(1 - x/n) at the observed rate; 0 without trials.

    Shape of the two.
    """
    # Differences of sums that are not whole may be a rounding below 0.
    x, n = np.maximum(x, 0.0), np.maximum(n, x)
    return np.asarray(xlogy(x, x) + xlogy(n - x, n - x) - xlogy(n, n), dtype=np.float64)
