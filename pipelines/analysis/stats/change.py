"""Why a number moved between two windows: by factor of the funnel, and by rate or mix within one.

What belongs here: exact decompositions. They say what a change consists of, never what caused it.
Formulas: docs/analytics.md, "Changes".
"""

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.stats.arrays import Bools, Floats, divide
from pipelines.analysis.stats.attribution import attribute

ROUNDING = 1e-12
"""Effects closer than this differ by floating point alone."""

LEAST_SEGMENTS = 2
"""With fewer segments there is no mix, and nothing for the total to contradict."""


def stage_contributions(before: Floats, after: Floats) -> Floats:
    """Each factor's part of the change of revenue, adding up to it. Shape (cells, factors).

    Factors are visits, every step rate, order value; NaN where a cell has not that step. Additive
    LMDI-I, L(P1, P0) ln(f1/f0) (Ang 2004); Shapley where a factor is 0.
    """
    return attribute(before, after)


@dataclass(frozen=True)
class Segments:
    """Counts of one window by segment, shape (stages, segments); NaN or 0 where there are none."""

    successes: Floats
    trials: Floats


@dataclass(frozen=True)
class RateAndMix:
    """Parts of a stage's change: `rate` and `mix` (stages, segments), the others (stages,)."""

    rate: Floats
    mix: Floats
    total_rate: Floats
    total_mix: Floats
    change: Floats
    is_simpson: Bools
    is_mix_driven: Bools


def rate_and_mix(before: Segments, after: Segments) -> RateAndMix:
    """Symmetric two-effect split of a stage's rate (Marshall 1890, Edgeworth 1925 weights).

    Rate 1/2 (w0 + w1)(r1 - r0) and mix (w1 - w0)(1/2 (r0 + r1) - 1/2 (R0 + R1)) per segment, w its
    share of the trials, R the rate of all of them; they add up to R1 - R0. A segment that only one
    window has keeps its rate: all of its part is mix. `is_simpson`: every segment moved one way and
    the total the other. `is_mix_driven`: more of the change is mix than rate.
    """
    (w0, r0, total0), (w1, r1, total1) = _shares(before), _shares(after)
    is_here = ~np.isnan(r0) | ~np.isnan(r1)
    old, new = np.where(np.isnan(r0), r1, r0), np.where(np.isnan(r1), r0, r1)
    middle = (total0 + total1)[:, None] / 2
    rate = np.where(is_here, (w0 + w1) / 2 * (new - old), 0.0)
    mix = np.where(is_here, (w1 - w0) * ((old + new) / 2 - middle), 0.0)
    total_rate, total_mix, change = rate.sum(axis=1), mix.sum(axis=1), total1 - total0
    return RateAndMix(
        *(rate, mix, total_rate, total_mix, change),
        is_simpson=_is_contradicted(r1 - r0, change),
        is_mix_driven=np.abs(total_mix) > np.abs(total_rate) + ROUNDING,
    )


def _shares(window: Segments) -> tuple[Floats, Floats, Floats]:
    """Share of the trials and rate of each segment, and the rate of all."""
    trials = np.nan_to_num(window.trials)
    successes = np.where(trials > 0, np.nan_to_num(window.successes), 0.0)
    all_trials = trials.sum(axis=1)
    share = divide(trials, all_trials[:, None])
    total = divide(successes.sum(axis=1), all_trials)
    return share, divide(successes, trials), total


def _is_contradicted(moves: Floats, change: Floats) -> Bools:
    """Whether every segment of both windows moved one way and the total the other."""
    is_both = ~np.isnan(moves)
    all_up = (~is_both | (moves > 0)).all(axis=1) & (change < 0)
    all_down = (~is_both | (moves < 0)).all(axis=1) & (change > 0)
    is_so: Bools = (is_both.sum(axis=1) >= LEAST_SEGMENTS) & (all_up | all_down)
    return is_so
