"""What a step below its benchmark is worth at the observed rates: alone, and in a sum.

What belongs here: matrices of (cells, steps), a cell being one property, window and segment, its
steps in the order of the funnel. A step that a cell has not is NaN, and its neighbours are joined.
Formulas: docs/analytics.md, "Leaks". Money is in the currency of `order_value`.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipelines.analysis.stats.arrays import Floats, divide
from pipelines.analysis.stats.attribution import attribute


@dataclass(frozen=True)
class Chains:
    """Funnels of one window. `order_value` and its standard error are per cell, the others (cells,
    steps).

    A step's trials are the sessions of the step before it in its chain. `n_eff` is their effective
    number, the trials themselves where counts are exact. `benchmark` is NaN where a step has none.
    """

    successes: Floats
    trials: Floats
    n_eff: Floats
    benchmark: Floats
    order_value: Floats
    order_value_error: Floats

    @cached_property
    def rates(self) -> Floats:
        """Observed step rates; above 1 where there are more successes than trials.

        A step nobody came to has no rate of its own and is taken to be at its benchmark.
        """
        rates = divide(self.successes, self.trials)
        return np.where(self.trials == 0, self.benchmark, rates)


def stand_alone(chains: Chains) -> Floats:
    """R_(k-1) max(0, b_k - r_k) downstream_k AOV at the observed rates. (cells, steps)."""
    gain = gained(chains.rates.T, chains.trials.T, chains.benchmark.T).T
    value: Floats = gain * chains.order_value[:, None]
    return value


def gained(rates: Floats, trials: Floats, benchmark: Floats) -> Floats:
    """Purchases gained by lifting one step alone, at any number of rates. Shape (steps, rates).

    `trials` and `benchmark` have that shape or (steps, 1). NaN where nobody came or nothing is set.
    """
    following = np.where(np.isnan(trials), 1.0, rates)
    onward = np.cumprod(following[:0:-1], axis=0)[::-1]
    downstream = np.concatenate([onward, np.ones_like(rates[:1])])
    comers = np.where(trials > 0, trials, np.nan)
    gain: Floats = comers * np.maximum(0.0, benchmark - rates) * downstream
    return gain


def allocated(chains: Chains, visits: Floats) -> Floats:
    """The joint gain of lifting every step to its benchmark, shared out. Shape (cells, steps).

    C_k = V AOV L(R*, R) ln(r*_k / r_k) with r* = max(r, b), by Shapley where a rate is 0; the parts
    add up to `joint_gain`. `visits` (cells,) is the trials of the chain's first step. NaN where a
    step has no benchmark; those gain nothing, so nothing is missing from the total.
    """
    rates, lifted = _lifted(chains)
    parts = attribute(rates, lifted) * (visits * chains.order_value)[:, None]
    return np.where(np.isnan(chains.benchmark + rates), np.nan, parts)


def joint_gain(chains: Chains, visits: Floats) -> Floats:
    """V AOV (R* - R): the worth of lifting every step to its benchmark. (cells,)."""
    rates, lifted = _lifted(chains)
    difference = np.nanprod(lifted, axis=1) - np.nanprod(rates, axis=1)
    gain: Floats = visits * chains.order_value * difference
    return gain


def _lifted(chains: Chains) -> tuple[Floats, Floats]:
    return chains.rates, np.where(
        np.isnan(chains.rates), np.nan, np.fmax(chains.rates, chains.benchmark)
    )
