"""How often the 95 % interval holds the true rate, under each kind of noise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipelines.analysis.stats.arrays import Floats
from pipelines.analysis.stats.intervals import Counts, wilson
from tests.study.counts import Window, draw_window, estimate, estimate_large
from tests.study.results import Figure, Section, generator, share_of
from tests.support.noise import SIGMA, effective_trials

RATES = (0.05, 0.30, 0.55)
LOW, HIGH = 0.94, 0.96


def exact(rng: np.random.Generator, counts: Floats) -> Floats:
    """Counts as they are."""
    return counts


@dataclass(frozen=True)
class Case:
    """A kind of window: days, sessions a day, true phi, and how GA4 counts."""

    name: str
    per_day: int
    phi: float = 1.0
    days: int = 28
    count: Callable[[np.random.Generator, Floats], Floats] = exact
    by_day: bool = False
    sigma: float = 0.0
    has_target: bool = True
    is_plain: bool = False


CASES = (
    Case("exact counts, steady days, 1,000 a day", 1000),
    Case("exact counts, steady days, 40 a day", 40),
    Case("exact counts, varying days (phi 2), 1,000 a day", 1000, 2.0),
    Case("exact counts, varying days (phi 4), 1,000 a day", 1000, 4.0),
    Case("exact counts, varying days (phi 2), 40 a day", 40, 2.0),
    Case("both counts estimated, steady days", 1000, count=estimate, sigma=SIGMA["sessions"]),
    Case("both estimated, varying days (phi 2)", 1000, 2.0, count=estimate, sigma=0.023),
    Case("plain phi: steady days", 1000, has_target=False, is_plain=True),
    Case("plain phi: varying days (phi 2)", 1000, 2.0, has_target=False, is_plain=True),
    Case("plain phi: varying days (phi 4)", 1000, 4.0, has_target=False, is_plain=True),
    Case("7 days, steady", 1000, days=7, has_target=False),
    Case("7 days, varying (phi 2)", 1000, 2.0, days=7, has_target=False),
    Case("counts up to 3,000 exact", 1000, count=estimate_large, sigma=0.023, has_target=False),
    Case(
        "10,000 a day, each day estimated, sigma on the sum",
        *(10_000, 1.0, 28, estimate, True, 0.023, False),
    ),
    Case(
        "10,000 a day, each day estimated, phi alone",
        *(10_000, 1.0, 28, estimate, True, 0.0, False),
    ),
)

TEXT = """
Wilson on n_eff, with phi from the window's days and sigma of its unit. Daily sessions are Poisson,
daily rates Beta around the true rate; estimated counts carry HyperLogLog errors of sigma / sqrt 2
each, drawn once for the window. 28 days, unless said otherwise.

phi is an estimate. Used as it is (rows "plain phi") the interval of 28 varying days covers a little
under 94 %, the limit for large phi being P(|t| < 1.96) = 93.96 % with 27 degrees of freedom; n_eff
therefore takes 1 + (phi - 1)(t/z)^2. As phi is never less than 1, steady days are covered a little
more than 95 %. The narrowest case is two events a day, whose skewed counts tell less of phi.

Rows without a target show the edges. Seven days tell little of phi. GA4 counts up to about 3,000
exactly, so a small numerator makes the interval too wide, never too narrow. A window *summed* from
days, each estimated on its own, must not be given the sigma of one estimate (100 % covered): phi,
measured on the same days, holds that noise already."""


def coverage_section(runs: int = 100_000) -> Section:
    """Coverage of every case at every rate."""
    figures: list[Figure] = []
    for number, case in enumerate(CASES):
        for rate in RATES:
            figures.append(_coverage(case, rate, runs, number))
    return Section("Coverage of the 95 % interval", TEXT, figures)


def _coverage(case: Case, rate: float, runs: int, number: int) -> Figure:
    rng = generator(2, number, int(rate * 100))
    true = draw_window(rng, rate, case.per_day, case.phi, (runs, case.days))
    if case.by_day:
        seen = Window(case.count(rng, true.successes), case.count(rng, true.trials))
        x, n = seen.total
    else:
        seen, (x, n) = true, (case.count(rng, total) for total in true.total)
    phi = seen.phi() if case.is_plain else seen.wide_phi()
    n_eff = effective_trials(x, n, phi, np.full(runs, case.sigma))
    found = wilson(Counts(x, n), n_eff)
    holds = (found.low <= rate) & (rate <= found.high)
    target = (LOW, HIGH) if case.has_target else (None, None)
    return share_of(f"{case.name}: true {rate * 100:.0f} %", holds, *target)
