"""How much less a count of GA4 tells than a binomial sample of its size: phi, sigma, n_eff.

Var(p) = phi p(1-p)/n + p^2 sigma^2 and n_eff = p(1-p)/Var(p) (docs/analytics.md, "Uncertainty").
phi is the quasi-binomial dispersion of McCullagh and Nelder (1989, 4.5). sigma is the standard
error of a quotient of two HyperLogLog++ estimates, sqrt(2) 1.04 / sqrt(2^precision) (Heule,
Nunkesser, Hall 2013): GA4 keeps sessions at precision 12 and users at 14.
"""

import numpy as np
import pandas as pd
from scipy import stats

from pipelines.analysis.stats.arrays import Floats, Ints, codes, divide, floats, is_rate, sum_by

LEAST_DAYS = 7
"""Fewer days than this tell nothing of the variation between them: phi is 1."""

EXACT_UP_TO = 3_000
"""A sketch counts up to about this many exactly (house default)."""

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


def measure_days(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """phi of each group of a long frame of days: `keys`, day_count, phi, and phi_wide for n_eff.

    Reads `keys`, numerator and denominator, one row per group and day; one row per group.
    """
    groups = frame[keys].drop_duplicates().sort_values(keys, ignore_index=True)
    group = codes(frame, keys)
    trials = floats(frame["denominator"])
    phi = overdispersion(floats(frame["numerator"]), trials, group, len(groups))
    days = sum_by((trials > 0).astype(np.float64), group, len(groups))
    return groups.assign(day_count=days.astype(np.int64), phi=phi, phi_wide=widened_phi(phi, days))


def widened_phi(phi: Floats, days: Floats) -> Floats:
    """phi to reckon n_eff with: 1 + (phi - 1)(t/z)^2, t the 97.5 % point with days - 1 freedom.

    phi is itself an estimate from few days, for which the quasi-likelihood takes Student's t in
    place of the normal (McCullagh and Nelder 1989, 4.5); with z alone the 95 % interval of 28
    varying days covers 93.9 %. Only the excess is widened, so that steady days stay at 95.8 %
    (docs/study.md). Equals `phi` where it is 1.
    """
    student = stats.t.ppf(0.975, np.maximum(days - 1, 1))
    wide: Floats = 1 + (phi - 1) * (student / stats.norm.ppf(0.975)) ** 2
    return wide


def sketch_noise(units: pd.Series, trials: Floats) -> Floats:
    """sigma of each row from its unit (`SIGMA`); 0 up to `EXACT_UP_TO` trials. Shape (rows,).

    For counts that GA4 estimated at once. Sums of daily counts carry the noise of each day, which
    phi of these days already holds: their unit is "exact" (docs/study.md, last rows of coverage).
    """
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
