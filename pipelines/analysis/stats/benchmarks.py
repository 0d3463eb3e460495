"""How a rate stands against a published range: p, q of a family, odds, time to know.

What belongs here: pure functions on arrays, and `score_comparisons`, which the dbt model
`int_benchmarks__scored` applies to a frame. The Wilson interval and the verdict itself are SQL.
Formulas: docs/analytics.md, "Verdicts".
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from pipelines.analysis.stats.arrays import Floats, codes, divide, floats, is_rate
from pipelines.analysis.stats.shrinkage import shrink

GRAIN = ["property_id", "window_name", "segment_name", "segment_value", "benchmark_key"]
"""Columns of a comparison's key: a property has one current window of each name."""

DAYS_PER_WEEK = 7


@dataclass(frozen=True)
class Range:
    """Benchmark ranges, one per comparison: `low` <= `high`, rates 0-1, same shape."""

    low: Floats
    high: Floats


@dataclass(frozen=True)
class Power:
    """What "to know" means: two-sided error `alpha`, power `power`."""

    alpha: float = 0.05
    power: float = 0.80


PRIOR_STRENGTH = 20.0
"""House default: the range's midpoint weighs as much as this many sessions."""


def exact_p_below(successes: Floats, trials: Floats, low: Floats) -> Floats:
    """P(X <= successes) for X ~ Binomial(trials, low): one-sided exact test against the floor.

    Arrays of one shape; NaN where there is no trial or more successes than trials.
    """
    return np.where(is_rate(successes, trials), stats.binom.cdf(successes, trials, low), np.nan)


def score_p_below(rate: Floats, n_eff: Floats, low: Floats) -> Floats:
    """One-sided p of the score test (Wilson 1927) against the floor, on n_eff trials.

    The variance is the floor's, low (1 - low) / n_eff. NaN where rate or n_eff are.
    """
    z = (rate - low) / np.sqrt(low * (1 - low) / n_eff)
    return np.where(np.isnan(z), np.nan, stats.norm.cdf(z))


def q_values(p_values: Floats) -> Floats:
    """Benjamini-Hochberg q values of one family; NaN stays NaN and does not count as a test."""
    adjusted = np.full(p_values.shape, np.nan)
    is_tested = ~np.isnan(p_values)
    if is_tested.any():
        adjusted[is_tested] = stats.false_discovery_control(p_values[is_tested], method="bh")
    return adjusted


def directional(successes: Floats, trials: Floats, bounds: Range) -> tuple[Floats, Floats]:
    """P(rate < low) and the mean rate under a Beta prior at the middle of the range.

    Prior Beta(m*s, (1-m)*s), m = midpoint, s = `PRIOR_STRENGTH`. For shops too small to test:
    to be called directional, never significant. NaN where the counts are no rate.
    """
    midpoint = (bounds.low + bounds.high) / 2
    hits = midpoint * PRIOR_STRENGTH + successes
    misses = (1 - midpoint) * PRIOR_STRENGTH + trials - successes
    is_defined = is_rate(successes, trials)
    below = stats.beta.cdf(bounds.low, hits, np.where(is_defined, misses, 1.0))
    return (
        np.where(is_defined, below, np.nan),
        np.where(is_defined, hits / (PRIOR_STRENGTH + trials), np.nan),
    )


def weeks_to_know(
    successes: Floats,
    trials: Floats,
    low: Floats,
    window_days: Floats,
    phi: Floats | float = 1.0,
    power: Power | None = None,
) -> Floats:
    """Weeks of data that tell the present rate from `low`, at the window's weekly trials.

    One-sample size [z_(1-a/2) sqrt(p0 q0) + z_(1-b) sqrt(p1 q1)]^2 / (p1 - p0)^2 with p0 = low and
    p1 = the present rate, as an n_eff, solved for n. NaN without trials, above 100 %, and where the
    rate is `low` itself.
    """
    wanted = power or Power()
    z_alpha, z_beta = stats.norm.ppf(np.array([1 - wanted.alpha / 2, wanted.power]))
    rate = np.where(is_rate(successes, trials), divide(successes, trials), np.nan)
    gap = np.where(rate == low, np.nan, rate - low)
    spread = z_alpha * np.sqrt(low * (1 - low)) + z_beta * np.sqrt(rate * (1 - rate))
    needed = phi / (gap / spread) ** 2
    weeks: Floats = needed / (trials / window_days * DAYS_PER_WEEK)
    return weeks


def score_comparisons(frame: pd.DataFrame) -> pd.DataFrame:
    """Scores of comparisons, one row per row of `frame`.

    Reads the columns of `GRAIN`, tracking_state, numerator, denominator, phi and n_eff,
    benchmark_low, benchmark_high and window_days; gives `GRAIN`, p_value, q_value, p_below,
    posterior_mean, weeks_needed and shrunk_rate. A comparison that is not `tracked` has no score.
    p is exact, or the score test's on n_eff where phi > 1; directional evidence counts n_eff
    sessions. q values are taken in two
    families per property: the rows of the whole shop, and all its segment cells. The values of one
    segment are shrunk to their common rate.
    """
    is_tracked = (frame["tracking_state"] == "tracked").to_numpy(dtype=bool)
    successes = floats(frame["numerator"])
    trials = np.where(is_tracked, floats(frame["denominator"]), np.nan)
    bounds = Range(floats(frame["benchmark_low"]), floats(frame["benchmark_high"]))
    phi = floats(frame["phi"])
    n_eff = np.where(is_rate(successes, trials), floats(frame["n_eff"]), np.nan)
    rate = np.where(np.isnan(n_eff), np.nan, divide(successes, trials))
    p_below, posterior_mean = directional(rate * n_eff, n_eff, bounds)
    scored = frame[GRAIN].assign(
        p_value=np.where(
            phi > 1,
            score_p_below(rate, n_eff, bounds.low),
            exact_p_below(successes, trials, bounds.low),
        ),
        p_below=p_below,
        posterior_mean=posterior_mean,
        weeks_needed=weeks_to_know(
            successes, trials, bounds.low, floats(frame["window_days"]), phi
        ),
    )
    families = [scored["property_id"], scored["segment_name"] == "all"]
    scored["q_value"] = scored.groupby(families)["p_value"].transform(
        lambda family: q_values(family.to_numpy(dtype=np.float64))
    )
    return scored.assign(shrunk_rate=_shrunk(frame, successes, trials))


def _shrunk(frame: pd.DataFrame, successes: Floats, trials: Floats) -> Floats:
    """Rates of segment values, each shrunk to the rate of its segment; NaN for the whole shop."""
    if frame.empty:
        return np.empty(0)
    group = codes(frame, [name for name in GRAIN if name != "segment_value"])
    shrunk = shrink(successes, trials, group, int(group.max()) + 1).rate
    return np.where(frame["segment_name"] == "all", np.nan, shrunk)
