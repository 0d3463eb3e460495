"""Whether Benjamini-Hochberg keeps its rate over the cells of a shop."""

from __future__ import annotations

import numpy as np

from pipelines.analysis.stats.arrays import Floats
from pipelines.analysis.stats.benchmarks import exact_p_below, q_values
from tests.study.results import Figure, Section, generator

FLOOR, BELOW = 0.05, 0.04
RATE = 0.10
DEVICES = np.array([0.62, 0.33, 0.05])
CHANNELS = np.array([0.35, 0.25, 0.2, 0.12, 0.08])

TEXT = """
A family is what a run tests: device, channel and device x channel cells of the same 16,000 product
views of 28 days, so that tests overlap. Every cell is at the floor of 5 % (a true null, the worst
case of "not below"), or a random third of the device x channel cells is at 4 %. A discovery is a
cell with q ≤ 0.10; it is false where the cell's true rate is not below the floor. The false
discovery rate is the mean share of false ones, 0 where there is no discovery. q controls a mean:
its error is that of a share of as many runs, which is an upper bound."""


def families_section(runs: int = 4_000) -> Section:
    """False discovery rate without and with true effects, and the power with them."""
    figures: list[Figure] = []
    for number, (share, name) in enumerate(((0.0, "nothing is below"), (0.33, "a third is below"))):
        false, found = _discoveries(share, runs, number)
        figures.append(
            Figure(f"false discovery rate, {name}", float(false.mean()), runs, high=RATE)
        )
        if share:
            figures.append(Figure("cells below that are found", float(np.nanmean(found)), runs))
    return Section("Benjamini-Hochberg families", TEXT, figures)


def _discoveries(share: float, runs: int, number: int) -> tuple[Floats, Floats]:
    """False share of the discoveries, and share of the true ones found, per run."""
    rng = generator(3, number)
    mean = 16_000 * np.outer(DEVICES, CHANNELS)
    trials = rng.poisson(mean, (runs, *mean.shape)).astype(float)
    rates = np.where(rng.random(trials.shape) < share, BELOW, FLOOR)
    successes = rng.binomial(trials.astype(np.int64), rates).astype(float)
    n, x, expected = (_cells(table) for table in (trials, successes, trials * rates))
    p = exact_p_below(x, n, np.full(n.shape, FLOOR))
    q = np.stack([q_values(family) for family in p])
    is_below = expected < FLOOR * n * (1 - 1e-9)
    is_found = q <= RATE
    false = (is_found & ~is_below).sum(axis=1) / np.maximum(is_found.sum(axis=1), 1)
    true = is_below.sum(axis=1)
    power = (is_found & is_below).sum(axis=1) / np.where(true == 0, np.nan, true)
    return false, power


def _cells(table: Floats) -> Floats:
    """Devices, channels and their crossing, side by side. Shape (runs, cells)."""
    runs = table.shape[0]
    return np.concatenate([table.sum(axis=2), table.sum(axis=1), table.reshape(runs, -1)], axis=1)
