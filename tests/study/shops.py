"""Whether a planted leak is found and ranked first, and healthy shops are left alone."""

from __future__ import annotations

import numpy as np

from pipelines.analysis.stats.arrays import Bools, Floats
from pipelines.analysis.stats.leak_draws import Opportunity, simulate
from pipelines.analysis.stats.leaks import Chains
from pipelines.config.thresholds import threshold
from tests.study.counts import Window, day_rates
from tests.study.results import Figure, Section, generator, share_of
from tests.support.noise import effective_trials

SHOPS, DAYS, SESSIONS = 200, 28, 1_000
HEALTHY = np.array([0.57, 0.075, 0.55, 0.60])
"""Product views, adds, checkouts, purchases: the rates of the shop simulator's healthy shop."""

LOWS = np.array([np.nan, 0.05, 0.50, 0.50])
HIGHS = np.array([np.nan, 0.10, 0.60, 0.70])
PHI = 1.5

TEXT = """
200 shops of 28 days and 1,000 sessions a day, simulated as daily counts of each step (not as
events, and not through the nightly job), with days that vary (phi 1.5, estimated). Healthy rates
are the shop simulator's: 57 % see a product, 7.5 % of them add, 55 % of these start a checkout and
60 % of these pay. A planted leak multiplies one of the three benchmarked steps, at random, by 0.40
to 0.60. A step is called with P(gap) ≥ 0.8, a shop where any step is. The last rows are harder than
the target: shops anywhere in the published ranges, and shops exactly at all three floors, where
the rule calls a fifth of the steps by its construction."""


def shops_section(shops: int = SHOPS) -> Section:
    """Planted leaks ranked first and called; shops without one called; harder shops."""
    return Section("Planted leaks", TEXT, [*required(shops), *_harder(10 * shops)])


def required(shops: int) -> list[Figure]:
    """The two figures that have a target."""
    rng = generator(5, 0)
    healthy = np.tile(HEALTHY, (shops, 1))
    planted = rng.integers(1, 4, shops)
    leaking = healthy.copy()
    leaking[np.arange(shops), planted] *= rng.uniform(0.40, 0.60, shops)
    found = _run(leaking, 1)
    is_first = found.rank[np.arange(shops), planted] == 1
    is_called = found.p_gap[np.arange(shops), planted] >= threshold("least_p_gap")
    return [
        share_of("planted leak ranked first and called", is_first & is_called, low=0.95),
        share_of("healthy shops with any leak called", _any(_run(healthy, 2)), high=0.05),
    ]


def _harder(shops: int) -> list[Figure]:
    within, floor = np.tile(HEALTHY, (2, shops, 1))
    within[:, 1:] = generator(5, 9).uniform(LOWS[1:], HIGHS[1:], (shops, 3))
    floor[:, 1:] = LOWS[1:]
    return [
        share_of("called: rates anywhere in the ranges", _any(_run(within, 3))),
        share_of("called: all three rates exactly at the floor", _any(_run(floor, 4))),
    ]


def _any(found: Opportunity) -> Bools:
    return np.any(found.p_gap >= threshold("least_p_gap"), axis=1)


def _run(rates: Floats, number: int) -> Opportunity:
    """Draw the days of shops of these rates, (shops, 4), estimate phi, and look for leaks."""
    rng = generator(5, number)
    shops = rates.shape[0]
    before = rng.poisson(SESSIONS, (shops, DAYS)).astype(np.float64)
    columns: list[tuple[Floats, Floats, Floats]] = []
    for step in range(rates.shape[1]):
        daily = day_rates(rng, rates[:, step, None], PHI, before.mean(), (shops, DAYS))
        reached = rng.binomial(before.astype(np.int64), daily).astype(np.float64)
        window = Window(reached, before)
        x, n = window.total
        columns.append((x, n, effective_trials(x, n, window.wide_phi(), np.zeros(shops))))
        before = reached
    successes, trials, n_eff = (np.column_stack(parts) for parts in zip(*columns, strict=True))
    benchmark = np.broadcast_to(LOWS, trials.shape)
    value, certain = np.full(shops, 60.0), np.zeros(shops)
    return simulate(Chains(successes, trials, n_eff, benchmark, value, certain))
