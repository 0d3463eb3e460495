"""Intervals of a rate and of a difference, and tests of two rates.

What belongs here: one or two samples of counts, vectorised over rows. statsmodels' tests take one
pair at a time and no effective sample size, so those few lines are ours, checked against scipy's.
To test overdispersed counts give n_eff as the trials and p n_eff as the successes.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipelines.analysis.stats.arrays import Bools, Floats, divide, is_rate

CONFIDENCE = 0.95

LEAST_EXPECTED = 5
"""Below this many expected in a cell of the 2x2 table the z test gives way to Fisher's."""


@dataclass(frozen=True)
class Interval:
    """Bounds of one shape; NaN where there is none."""

    low: Floats
    high: Floats


@dataclass(frozen=True)
class Counts:
    """A sample per row: successes of trials, same shape."""

    successes: Floats
    trials: Floats

    @property
    def rate(self) -> Floats:
        """Successes per trial, NaN where the counts are no rate."""
        quotient = divide(self.successes, self.trials)
        return np.where(is_rate(self.successes, self.trials), quotient, np.nan)


def wilson(counts: Counts, n_eff: Floats | None = None, confidence: float = CONFIDENCE) -> Interval:
    """Score interval (Wilson 1927) of the rate on n_eff trials, within [0, 1].

    `n_eff` defaults to the trials. The SQL macro `wilson_bound` is the same formula at 95 %.
    """
    z = stats.norm.ppf((1 + confidence) / 2)
    p = counts.rate
    n = np.where(np.isnan(p), np.nan, counts.trials if n_eff is None else n_eff)
    middle = p + z**2 / (2 * n)
    half = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    scale = 1 + z**2 / n
    low, high = (middle - half) / scale, (middle + half) / scale
    return Interval(np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0))


def newcombe(rate: Floats, own: Interval, other_rate: Floats, other: Interval) -> Interval:
    """Interval of rate - other_rate from the Wilson intervals of both (Newcombe 1998, 10)."""
    difference = rate - other_rate
    below = np.hypot(rate - own.low, other.high - other_rate)
    above = np.hypot(own.high - rate, other_rate - other.low)
    return Interval(difference - below, difference + above)


def pooled_z(one: Counts, other: Counts) -> tuple[Floats, Floats]:
    """z and two-sided p of equal rates, pooled variance (statsmodels' `proportions_ztest`).

    z > 0 where `one` has the higher rate. NaN where nobody or everybody succeeded.
    """
    pooled = divide(one.successes + other.successes, one.trials + other.trials)
    both = divide(one.trials + other.trials, one.trials * other.trials)
    z = divide(one.rate - other.rate, np.sqrt(pooled * (1 - pooled) * both))
    return z, 2 * stats.norm.sf(np.abs(z))


def fisher(one: Counts, other: Counts) -> Floats:
    """Two-sided exact p of equal rates (Fisher 1922; scipy's `fisher_exact`), whole counts."""
    is_table = ~np.isnan(one.rate) & ~np.isnan(other.rate)
    p = np.full(one.rate.shape, np.nan)
    tables = np.stack(
        [
            *(one.successes, one.trials - one.successes),
            *(other.successes, other.trials - other.successes),
        ],
        axis=-1,
    )[is_table]
    p[is_table] = [
        stats.fisher_exact(table.reshape(2, 2).astype(np.int64)).pvalue for table in tables
    ]
    return p


def has_few_expected(one: Counts, other: Counts) -> Bools:
    """Whether a cell of the 2x2 table expects fewer than 5: then Fisher's test, not z."""
    pooled = divide(one.successes + other.successes, one.trials + other.trials)
    rarest = np.minimum(pooled, 1 - pooled) * np.minimum(one.trials, other.trials)
    is_small: Bools = rarest < LEAST_EXPECTED
    return is_small


def two_rates_p(one: Counts, other: Counts) -> Floats:
    """Two-sided p of equal rates: pooled z, or Fisher's where an expected cell is below 5."""
    is_small = has_few_expected(one, other)
    _, p = pooled_z(one, other)
    exact = fisher(
        Counts(one.successes[is_small], one.trials[is_small]),
        Counts(other.successes[is_small], other.trials[is_small]),
    )
    p[is_small] = exact
    return p
