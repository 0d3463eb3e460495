"""What a step below its benchmark is worth: stand-alone draws, and values that add up.

What belongs here: matrices of (cells, steps), a cell being one property, window and segment, its
steps in the order of the funnel. A step that a cell has not is NaN, and its neighbours are joined.
Formulas: ANALYTICS section 5. Money is in the currency of `order_value`.
"""

from dataclasses import dataclass

import numpy as np

from pipelines.stats.arrays import Bools, Floats, divide, is_rate
from pipelines.stats.attribution import attribute

JEFFREYS = 0.5
LEAST_P_GAP = 0.8
"""A gap less sure than this is not called a leak."""


@dataclass(frozen=True)
class Chains:
    """Funnels of one window. `order_value` and `visits` are per cell, the others (cells, steps).

    A step's trials are the sessions of the step before it in its chain. `n_eff` is their effective
    number, the trials themselves where counts are exact. `benchmark` is NaN where a step has none.
    """

    successes: Floats
    trials: Floats
    n_eff: Floats
    benchmark: Floats
    order_value: Floats

    @property
    def rates(self) -> Floats:
        """Observed step rates; above 1 where there are more successes than trials.

        A step nobody came to has no rate of its own and is taken to be at its benchmark.
        """
        rates = divide(self.successes, self.trials)
        return np.where(self.trials == 0, self.benchmark, rates)


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
    is_leak: Bools


def stand_alone(chains: Chains, marginal_share: float = 1.0) -> Floats:
    """R_(k-1) max(0, b_k - r_k) downstream_k lambda AOV at the observed rates. (cells, steps).

    `marginal_share` is lambda: how well the visitors won convert later, against those already here.
    """
    rates = chains.rates
    gained = _gained(rates, chains.trials, chains.benchmark)
    value: Floats = gained * marginal_share * chains.order_value[:, None]
    return value


def simulate(
    chains: Chains, marginal_share: float = 1.0, draws: Draws | None = None
) -> Opportunity:
    """Stand-alone values under independent Jeffreys Betas Beta(x + 1/2, n - x + 1/2) of the rates.

    The counts drawn from are n_eff and rate n_eff; a rate above 1 is kept as it is in every draw.
    `rank` 1 is the largest p50 of its cell; equal ones go by P(gap), then by place. Every cell
    starts at the same seed, so that its draws do not depend on the cells beside it.
    """
    wanted = draws or Draws()
    shape = chains.trials.shape
    quantiles = np.full((3, *shape), np.nan)
    p_gap, p_biggest = np.full(shape, np.nan), np.full(shape, np.nan)
    hits, misses, is_drawn = _beta_parameters(chains)
    for cell in range(shape[0]):  # one pass per cell keeps the draws at a few megabytes
        rng = np.random.default_rng(wanted.seed)
        drawn = rng.beta(hits[cell], misses[cell], size=(wanted.count, shape[1]))
        drawn = np.where(is_drawn[cell], drawn, chains.rates[cell])
        gained = _gained(drawn, chains.trials[cell], chains.benchmark[cell])
        quantiles[:, cell] = np.quantile(gained, [0.05, 0.50, 0.95], axis=0)
        p_gap[cell] = _share(drawn < chains.benchmark[cell], gained)
        filled = np.nan_to_num(gained)
        is_biggest = (filled == filled.max(axis=1, keepdims=True)) & (filled > 0)
        p_biggest[cell] = _share(is_biggest, gained)
    value = marginal_share * chains.order_value[:, None]
    p05, p50, p95 = quantiles
    return Opportunity(
        *(p05 * value, p50 * value, p95 * value, p_gap, p_biggest),
        rank=_ranks(p50, p_gap),
        is_leak=p_gap >= LEAST_P_GAP,
    )


def allocated(chains: Chains, visits: Floats, marginal_share: float = 1.0) -> Floats:
    """The joint gain of lifting every step to its benchmark, shared out. Shape (cells, steps).

    C_k = V AOV L(R*, R) ln(r*_k / r_k) with r* = max(r, b), by Shapley where a rate is 0; the parts
    add up to `joint_gain`. `visits` (cells,) is the trials of the chain's first step. NaN where a
    step has no benchmark; those gain nothing, so nothing is missing from the total.
    """
    rates, lifted = _lifted(chains)
    parts = attribute(rates, lifted) * (visits * chains.order_value * marginal_share)[:, None]
    return np.where(np.isnan(chains.benchmark + rates), np.nan, parts)


def joint_gain(chains: Chains, visits: Floats, marginal_share: float = 1.0) -> Floats:
    """V AOV (R* - R) lambda: the worth of lifting every step to its benchmark. (cells,)."""
    rates, lifted = _lifted(chains)
    difference = np.nanprod(lifted, axis=1) - np.nanprod(rates, axis=1)
    gain: Floats = visits * chains.order_value * marginal_share * difference
    return gain


def _lifted(chains: Chains) -> tuple[Floats, Floats]:
    return chains.rates, np.where(
        np.isnan(chains.rates), np.nan, np.fmax(chains.rates, chains.benchmark)
    )


def _gained(rates: Floats, trials: Floats, benchmark: Floats) -> Floats:
    """Purchases gained by lifting one step alone; steps are the last axis."""
    following = np.where(np.isnan(trials), 1.0, rates)
    onward = np.cumprod(following[..., ::-1], axis=-1)[..., ::-1]
    downstream = np.concatenate([onward[..., 1:], np.ones_like(onward[..., :1])], axis=-1)
    comers = np.where(trials > 0, trials, np.nan)
    gained: Floats = comers * np.maximum(0.0, benchmark - rates) * downstream
    return gained


def _beta_parameters(chains: Chains) -> tuple[Floats, Floats, Bools]:
    """Beta parameters of each step (1, 1 where it is not drawn), and whether it is drawn."""
    is_drawn = is_rate(chains.successes, chains.trials)
    hits = np.where(is_drawn, chains.rates * chains.n_eff + JEFFREYS, 1.0)
    misses = np.where(is_drawn, (1 - chains.rates) * chains.n_eff + JEFFREYS, 1.0)
    return hits, misses, is_drawn


def _share(is_so: Bools, gained: Floats) -> Floats:
    """Share of the draws in which something is so; NaN for steps without a value."""
    return np.where(np.isnan(gained).any(axis=0), np.nan, is_so.mean(axis=0))


def _ranks(p50: Floats, p_gap: Floats) -> Floats:
    """Ranks from 1 by p50, then P(gap), then place; NaN without a value."""
    order = np.lexsort((-np.nan_to_num(p_gap), -np.nan_to_num(p50, nan=-1.0)), axis=1)
    ranks = np.empty(p50.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, p50.shape[1] + 1)[None, :], axis=1)
    return np.where(np.isnan(p50), np.nan, ranks)
