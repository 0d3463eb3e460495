"""Operating figures of the verdict `below`, range 5-10 % (docs/analytics.md)."""

from __future__ import annotations

import numpy as np

from pipelines.analysis.stats.arrays import Bools, Floats
from pipelines.analysis.stats.intervals import Counts, wilson
from tests.study.counts import draw_window
from tests.study.results import Figure, Section, generator, share_of
from tests.support.noise import effective_trials

FLOOR = 0.05
DAYS = 28
PRINTED = {
    0.03: {100: (0.048, 0.003), 300: (0.32, 0.006), 1000: (0.88, 0.006), 5000: (1.0, 0.001)},
    0.05: {100: (0.006, 0.001), 300: (0.016, 0.0015), 1000: (0.021, 0.0015), 5000: (0.022, 0.0015)},
}
"""True rate: sessions: share called below, and how far off the printed digits and chance allow."""

TEXT = """
Range 5-10 %, `below` where the Wilson interval ends under the floor. Binomial counts, as the
figures of docs/analytics.md, "Reference figures", were made; the targets are those figures, as far
as their digits and chance allow. The last rows spread sessions over 28 days whose rate varies
(phi 2, estimated)."""


def ladder_section(runs: int = 100_000) -> Section:
    """Simulated shares, beside those printed in the specification."""
    figures: list[Figure] = []
    for index, (rate, by_trials) in enumerate(PRINTED.items()):
        for trials, (share, slack) in by_trials.items():
            rng = generator(1, index, trials)
            n = np.full(runs, float(trials))
            is_below = _is_below(rng.binomial(trials, rate, runs).astype(float), n, n)
            what = f"called below: true {rate * 100:.0f} %, {trials:,} sessions"
            figures.append(share_of(what, is_below, max(share - slack, 0), min(share + slack, 1)))
    for rate in PRINTED:
        what = f"the same over 28 varying days: true {rate * 100:.0f} %, 5,600 sessions"
        figures.append(share_of(what, _varying(rate, runs // 5)))
    return Section("Verdict below", TEXT, figures)


def _is_below(x: Floats, n: Floats, n_eff: Floats) -> Bools:
    is_below: Bools = wilson(Counts(x, n), n_eff).high < FLOOR
    return is_below


def _varying(rate: float, runs: int) -> Bools:
    window = draw_window(generator(1, 9, int(rate * 100)), rate, 200, 2.0, (runs, DAYS))
    x, n = window.total
    return _is_below(x, n, effective_trials(x, n, window.wide_phi(), np.zeros(runs)))
