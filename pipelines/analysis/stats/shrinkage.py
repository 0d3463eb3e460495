"""Rates and means of small parts pulled towards those of the shop that they belong to."""

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.stats.arrays import Floats, Ints, divide, is_rate, sum_by


@dataclass(frozen=True)
class Shrunk:
    """Shrunk rate of each row; pooled rate and prior strength (in trials) of its group."""

    rate: Floats
    pooled: Floats
    strength: Floats


def shrink(successes: Floats, trials: Floats, group: Ints, groups: int) -> Shrunk:
    """Beta-binomial shrinkage (x + M p)/(n + M) of each row to the pooled rate of its group.

    M = p(1-p)/tau^2 - 1, p(1-p)/tau^2 by `_strength`. Rows that are no rate are left out and NaN.
    """
    is_cell = is_rate(successes, trials)
    x, n = np.where(is_cell, successes, np.nan), np.where(is_cell, trials, np.nan)
    pooled = divide(sum_by(x, group, groups), sum_by(n, group, groups))
    strength = np.maximum(0.0, _strength(x, n, pooled, pooled * (1 - pooled), group) - 1)
    return _shrunk(x, n, pooled[group], strength[group])


def shrink_means(totals: Floats, counts: Floats, variance: Floats, group: Ints) -> Shrunk:
    """The same of means totals / counts, of things whose variance is known: M = variance/tau^2.

    `variance` is per group, (groups,), NaN where it is not known: then nothing is shrunk (M = 0).
    Rows whose total or count is not above 0 are left out and NaN.
    """
    groups = len(variance)
    is_cell = (totals > 0) & (counts > 0)
    x, n = np.where(is_cell, totals, np.nan), np.where(is_cell, counts, np.nan)
    pooled = divide(sum_by(x, group, groups), sum_by(n, group, groups))
    strength = np.where(np.isnan(variance), 0.0, _strength(x, n, pooled, variance, group))
    return _shrunk(x, n, pooled[group], strength[group])


def _strength(x: Floats, n: Floats, pooled: Floats, within: Floats, group: Ints) -> Floats:
    """within / tau^2 of each group, of its `pooled` rate and the variance `within` one trial.

    Shape (groups,), as these two. Method of moments (after Kleinman 1973): tau^2 = (S - within
    (K-1)) / (N - sum n^2/N) with S = sum n (x/n - p)^2 over the K rows of a group, p the pooled
    rate and N = sum n. Infinite in a group whose rows differ no more than chance (tau^2 <= 0): it
    shrinks all the way.
    """
    groups = len(within)
    total = sum_by(n, group, groups)
    cells = sum_by((n > 0).astype(np.float64), group, groups)
    spread = sum_by(n * (divide(x, n) - pooled[group]) ** 2, group, groups)
    weight = total - divide(sum_by(n**2, group, groups), total)
    between = divide(spread - within * (cells - 1), weight)
    is_spread = between > 0
    return np.where(is_spread, within / np.where(is_spread, between, 1.0), np.inf)


def _shrunk(x: Floats, n: Floats, pooled: Floats, strength: Floats) -> Shrunk:
    """Of rows with the pooled rate and M of their groups."""
    own_share = n / (n + strength)
    return Shrunk(own_share * divide(x, n) + (1 - own_share) * pooled, pooled, strength)
