"""How sure a leak is: its value, and whether it is the biggest, over draws of the rates.

What belongs here: the draws of docs/analytics.md, "Leaks". Shapes as in `leaks`.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.stats.arrays import Floats, is_rate
from pipelines.analysis.stats.leaks import Chains, gained

JEFFREYS = 0.5
QUANTILES = np.array([0.05, 0.50, 0.95])


@dataclass(frozen=True)
class Draws:
    """How uncertainty is simulated: `count` draws per cell, each cell from the same `seed`."""

    count: int = 20_000
    seed: int = 5


@dataclass(frozen=True)
class Opportunity:
    """Stand-alone value of each step, shape (cells, steps); quantiles of the draws.

    NaN where a step has no benchmark or nobody came to it.
    """

    p05: Floats
    p50: Floats
    p95: Floats
    p_gap: Floats
    p_biggest: Floats
    rank: Floats


def simulate(chains: Chains, draws: Draws | None = None) -> Opportunity:
    """Stand-alone values under independent Jeffreys Betas Beta(x + 1/2, n - x + 1/2) of the rates,
    and a Gamma of the order value with its error.

    The counts drawn from are n_eff and rate n_eff; a rate above 1 is kept as it is in every draw.
    `rank` 1 is the largest p50 of its cell; equal ones go by P(gap), then by place. Every cell
    starts at the same seed, so that its draws do not depend on the cells beside it.
    """
    wanted = draws or Draws()
    found = np.full((5, *chains.trials.shape), np.nan)
    for cell in range(chains.trials.shape[0]):  # cell by cell, the draws are a few megabytes
        found[:, cell] = _of_cell(chains, cell, wanted)
    p05, p50, p95, p_gap, p_biggest = found
    value = chains.order_value[:, None]
    return Opportunity(
        *(p05 * value, p50 * value, p95 * value, p_gap, p_biggest),
        rank=_ranks(p50, p_gap),
    )


def _of_cell(chains: Chains, cell: int, draws: Draws) -> Floats:
    """Quantiles in purchases of the mean value, P(gap) and P(biggest) of one cell. (5, steps)."""
    trials, benchmark = chains.trials[cell, :, None], chains.benchmark[cell, :, None]
    rates = _draw(chains, cell, draws)
    gains = gained(rates, trials, benchmark) * _draw_worth(chains, cell, draws)
    is_valued = ~np.isnan(gains).any(axis=1)
    found = np.full((5, trials.shape[0]), np.nan)
    if is_valued.any():
        valued = gains[is_valued]
        largest = valued.max(axis=0)
        found[:3, is_valued] = np.quantile(valued, QUANTILES, axis=1)
        found[3, is_valued] = (rates < benchmark)[is_valued].mean(axis=1)
        found[4, is_valued] = ((valued == largest) & (largest > 0)).mean(axis=1)
    return found


def _draw(chains: Chains, cell: int, draws: Draws) -> Floats:
    """Rates of one cell, shape (steps, count); steps above the first benchmark matter to none."""
    rates, n = chains.rates[cell], chains.n_eff[cell]
    is_wanted = np.logical_or.accumulate(~np.isnan(chains.benchmark[cell]))
    is_counted = is_rate(chains.successes[cell], chains.trials[cell]) & (n >= 0) & np.isfinite(n)
    is_drawn = is_wanted & is_counted
    drawn = np.repeat(rates[:, None], draws.count, axis=1)
    hits, misses = rates[is_drawn] * n[is_drawn], (1 - rates[is_drawn]) * n[is_drawn]
    drawn[is_drawn] = np.random.default_rng(draws.seed).beta(
        hits[:, None] + JEFFREYS, misses[:, None] + JEFFREYS, (hits.size, draws.count)
    )
    return drawn


def _draw_worth(chains: Chains, cell: int, draws: Draws) -> Floats:
    """Order values of one cell as multiples of its own, the same for all steps: Gamma with mean 1
    and the value's relative error. Shape (count,)."""
    relative = chains.order_value_error[cell] / chains.order_value[cell]
    if not (relative > 0 and np.isfinite(relative)):
        return np.ones(draws.count)
    drawn = np.random.default_rng([draws.seed, 1]).gamma(relative**-2, relative**2, draws.count)
    return np.asarray(drawn, dtype=np.float64)


def _ranks(p50: Floats, p_gap: Floats) -> Floats:
    """Ranks from 1 by p50, then P(gap), then place; NaN without a value."""
    order = np.lexsort((-np.nan_to_num(p_gap), -np.nan_to_num(p50, nan=-1.0)), axis=1)
    ranks = np.empty(p50.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, p50.shape[1] + 1)[None, :], axis=1)
    return np.where(np.isnan(p50), np.nan, ranks)
