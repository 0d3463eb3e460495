"""Rates of small segments pulled towards the rate of the shop they belong to."""

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

    Method of moments (after Kleinman 1973): tau^2 = (S - p(1-p)(K-1)) / (N - sum n^2/N) with
    S = sum n (x/n - p)^2 over the K rows of a group and N = sum n; M = p(1-p)/tau^2 - 1. A group
    that differs no more than chance (tau^2 <= 0) shrinks all the way: M is infinite. Rows that are
    no rate are left out and NaN.
    """
    is_cell = is_rate(successes, trials)
    x, n = np.where(is_cell, successes, np.nan), np.where(is_cell, trials, np.nan)
    total = sum_by(n, group, groups)
    pooled = divide(sum_by(x, group, groups), total)
    cells = sum_by(is_cell.astype(np.float64), group, groups)
    spread = sum_by(n * (divide(x, n) - pooled[group]) ** 2, group, groups)
    binomial = pooled * (1 - pooled)
    weight = total - divide(sum_by(n**2, group, groups), total)
    between = divide(spread - binomial * (cells - 1), weight)
    is_spread = between > 0
    strength = np.where(
        is_spread, np.maximum(0.0, binomial / np.where(is_spread, between, 1.0) - 1), np.inf
    )
    own_share = n / (n + strength[group])
    rate = own_share * divide(x, n) + (1 - own_share) * pooled[group]
    return Shrunk(rate, pooled[group], np.where(is_cell, strength[group], np.nan))
