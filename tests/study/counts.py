"""Daily counts of a rate that varies from day to day, and estimates of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.stats.arrays import Floats
from tests.support.noise import EXACT_UP_TO, overdispersion, widened_phi

ONE_COUNT = 0.023 / np.sqrt(2)
"""Relative error of one HyperLogLog estimate of sessions; a rate has two."""


@dataclass(frozen=True)
class Window:
    """Counts of many runs, shape (runs, days)."""

    successes: Floats
    trials: Floats

    @property
    def total(self) -> tuple[Floats, Floats]:
        """Successes and trials of the whole window. Shape (runs,)."""
        return self.successes.sum(axis=1), self.trials.sum(axis=1)

    def phi(self) -> Floats:
        """The estimate of phi of each run, by the formula of the specification."""
        runs, days = self.trials.shape
        group = np.repeat(np.arange(runs), days)
        return overdispersion(self.successes.ravel(), self.trials.ravel(), group, runs)

    def wide_phi(self) -> Floats:
        """phi of each run as n_eff uses it."""
        runs, days = self.trials.shape
        return widened_phi(self.phi(), np.full(runs, float(days)))


def day_rates(
    rng: np.random.Generator,
    rate: Floats | float,
    phi: float,
    per_day: float,
    shape: tuple[int, ...],
) -> Floats:
    """Rates of days around `rate` whose counts of `per_day` trials have dispersion `phi`."""
    if phi <= 1:
        return np.broadcast_to(rate, shape).astype(np.float64)
    strength = (per_day - 1) / (phi - 1) - 1
    return rng.beta(rate * strength, (1 - np.asarray(rate)) * strength, size=shape)


def draw_window(
    rng: np.random.Generator, rate: float, per_day: float, phi: float, shape: tuple[int, int]
) -> Window:
    """Poisson trials a day and beta-binomial successes, of dispersion `phi`. (runs, days)."""
    trials = rng.poisson(per_day, shape)
    rates = day_rates(rng, rate, phi, per_day, shape)
    return Window(rng.binomial(trials, rates).astype(np.float64), trials.astype(np.float64))


def estimate(rng: np.random.Generator, counts: Floats) -> Floats:
    """HyperLogLog estimates of counts: each with its own relative error."""
    return np.rint(counts * (1 + rng.normal(0, ONE_COUNT, counts.shape)))


def estimate_large(rng: np.random.Generator, counts: Floats) -> Floats:
    """Estimates as GA4 gives them: small counts exactly."""
    return np.where(counts > EXACT_UP_TO, estimate(rng, counts), counts)
