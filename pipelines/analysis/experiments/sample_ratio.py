"""Whether the variants got the shares of the units that they were to get.

A ratio that chance does not explain means that units were lost or moved in one arm: nothing in
which the arms then differ can be trusted (Fabijan et al. 2019).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special, stats

from pipelines.analysis.experiments.metrics import EXACT_UP_TO
from pipelines.analysis.experiments.sequential import LARGEST
from pipelines.analysis.stats.arrays import Floats

LARGEST_P = 0.001
"""A single look blocks below this (Fabijan et al. 2019 use 0.0005 to 0.01)."""

LEAST_E = 1000.0
"""Nightly looks block from this e-value on: at most one sound experiment in a thousand, ever."""


@dataclass(frozen=True)
class SampleRatio:
    """p of the last look's counts, e-value of it, and the first look that is blocked, if any."""

    p_value: float
    e_value: float
    blocked_at: int | None


def check(exposed: Floats, split: Floats, sigma: float = 0.0) -> SampleRatio:
    """Of cumulative counts (looks, variants) against shares (variants,) that add up to 1.

    One look is judged by chi-squared's p, several by the e-value, which may be looked at for ever.
    `sigma`: relative standard error of a quotient of two counts, where they are GA4's estimates.
    """
    exposed = exposed / times_varied(exposed, split, sigma)[:, None]
    p_value = float(stats.chisquare(exposed[-1], exposed[-1].sum() * split).pvalue)
    log_e = log_e_value(exposed, split)
    is_blocked = log_e >= np.log(LEAST_E) if len(exposed) > 1 else np.array([p_value < LARGEST_P])
    e_value = float(np.exp(min(log_e[-1], LARGEST)))
    return SampleRatio(p_value, e_value, int(is_blocked.argmax()) if is_blocked.any() else None)


def times_varied(exposed: Floats, split: Floats, sigma: float) -> Floats:
    """How many times more the shares of estimated counts vary than counted ones', (looks,).

    A count errs by sigma / sqrt(2), so n_i / N by pi_i^2 (sigma^2 / 2) (1 - 2 pi_i + sum pi^2)
    (delta method), beside pi_i (1 - pi_i) / N; the variant where that is most.
    """
    error = split * (1 - 2 * split + (split**2).sum()) / (1 - split) * sigma**2 / 2
    units = np.where(exposed.max(axis=1) > EXACT_UP_TO, exposed.sum(axis=1), 0.0)
    times: Floats = 1 + units * error.max()
    return times


def log_e_value(exposed: Floats, split: Floats) -> Floats:
    """ln of the Dirichlet-multinomial mixture over the multinomial of `split` (Lindon, Malek 2022).

    Uniform prior over splits, Dirichlet(1, …, 1). `exposed` (looks, variants) cumulative; (looks,).
    """
    prior = np.ones_like(split)
    mixture = special.gammaln(prior.sum()) - special.gammaln(prior.sum() + exposed.sum(axis=1))
    mixture += (special.gammaln(prior + exposed) - special.gammaln(prior)).sum(axis=1)
    log_e: Floats = mixture - exposed @ np.log(split)
    return log_e
