"""How much less a count of GA4 tells than a binomial sample of its size: phi, sigma, n_eff.

Var(p) = phi p(1-p)/n + p^2 sigma^2 and n_eff = p(1-p)/Var(p) (ANALYTICS section 4). phi is the
quasi-binomial dispersion of McCullagh and Nelder (1989, 4.5). sigma is the standard error of a
quotient of two HyperLogLog++ estimates, sqrt(2) 1.04 / sqrt(2^precision) (Heule, Nunkesser, Hall
2013): GA4 keeps sessions at precision 12 and users at 14.
"""

import numpy as np
import pandas as pd

from pipelines.stats.arrays import Floats, Ints, divide, is_rate, sum_by

LEAST_DAYS = 7
"""Fewer days than this tell nothing of the variation between them: phi is 1."""

EXACT_UP_TO = 3_000
"""A sketch counts up to about this many exactly (house default, ANALYTICS section 4)."""

SIGMA = {"sessions": 0.023, "users": 0.0115, "events": 0.0, "exact": 0.0}
"""Relative standard error of a rate by the unit of its counts."""


def overdispersion(successes: Floats, trials: Floats, group: Ints, groups: int) -> Floats:
    """phi = max(1, Pearson chi^2 / (days - 1)) of daily counts, per group. Shape (groups,).

    One row per day, shape (days,), with its group code 0 .. `groups` - 1. A day without trials
    does not count. 1 with fewer than `LEAST_DAYS` days, and where the pooled rate is 0 or 1.
    """
    is_day = (trials > 0) & ~np.isnan(successes)
    x, n, code = successes[is_day], trials[is_day], group[is_day]
    pooled = divide(sum_by(x, code, groups), sum_by(n, code, groups))[code]
    spread = n * pooled * (1 - pooled)
    is_open = spread > 0
    terms = np.where(is_open, (x - n * pooled) ** 2 / np.where(is_open, spread, 1.0), 0.0)
    days = np.bincount(code, minlength=groups)
    dispersion = sum_by(terms, code, groups) / np.maximum(days - 1, 1)
    return np.where(days >= LEAST_DAYS, np.maximum(1.0, dispersion), 1.0)


def sketch_noise(units: pd.Series, trials: Floats) -> Floats:
    """sigma of each row from its unit (`SIGMA`); 0 up to `EXACT_UP_TO` trials. Shape (rows,)."""
    unknown = set(units.dropna()) - set(SIGMA)
    if unknown:
        known = ", ".join(SIGMA)
        raise ValueError(f"Unknown unit {sorted(unknown)[0]!r}: choose one of {known}.")
    sigma = units.map(SIGMA).to_numpy(dtype=np.float64)
    return np.where(trials > EXACT_UP_TO, sigma, 0.0)


def effective_trials(successes: Floats, trials: Floats, phi: Floats, sigma: Floats) -> Floats:
    """n_eff of each row; n/phi where x = 0 or x = n, NaN where the counts are no rate."""
    rate = np.where(is_rate(successes, trials), divide(successes, trials), np.nan)
    odds = divide(rate, 1 - rate)
    is_edge = (rate == 0) | (rate == 1)
    per_trial = phi / np.where(trials > 0, trials, np.nan)
    effective: Floats = 1 / (per_trial + np.where(is_edge, 0.0, odds * sigma**2))
    return np.where(np.isnan(rate), np.nan, effective)
