"""Which parts of the shop a step's shortfall belongs to.

What belongs here: one property, one step. The scan says which parts stand out; whether they, the
rest, or the whole shop are below the floor decides which of them is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.analysis.findings.cubes import WHOLE, Scope, StepCounts
from pipelines.analysis.findings.history import PACE_DAYS, history
from pipelines.analysis.findings.rates import Counted
from pipelines.analysis.findings.scan import Part, scan

# Parts that explain less of a shortfall than this, while the rest leaks as well, are not where it
# is: the whole shop is (house default).
LEAST_EXPLAINED = 0.9


@dataclass(frozen=True)
class Judged:
    """How a step of a property is judged: its floor, whether the shop as a whole leaks there, phi
    of the shop's days, and P(rate < floor) from which on a part leaks.
    """

    floor: float
    is_leak: bool
    phi: float
    least_p: float

    def leaks(self, counted: Counted) -> bool:
        """Whether these counts are a leak; not without trials."""
        return counted.p_below(self.floor, self.phi) >= self.least_p


def told_scopes(judged: Judged, steps: Sequence[StepCounts], window: slice) -> list[Scope]:
    """The scopes of the window; where there is none, those of its last `PACE_DAYS` days that fell
    to where they are and leak since then: in four weeks a fault of one is thinned out.

    `steps`: the step in each cube, the last of which tells the whole shop.
    """
    if found := scopes_of(judged, [step.within(window) for step in steps]):
        return found
    week = slice(max(window.start, window.stop - PACE_DAYS), window.stop)
    lately = [step.within(week) for step in steps]
    shop = lately[-1].of(WHOLE)
    return [
        scope
        for scope in scopes_of(replace(judged, is_leak=judged.leaks(shop)), lately)
        if _fell_and_leaks(judged, steps, scope)
    ]


def _fell_and_leaks(judged: Judged, steps: Sequence[StepCounts], scope: Scope) -> bool:
    step = next(step for step in steps if step.cube.has(scope))
    past = history(*step.by_day(scope), judged.floor)
    return past.fall is not None and past.rise is None and past.p_below_now >= judged.least_p


def scopes_of(judged: Judged, steps: Sequence[StepCounts]) -> list[Scope]:
    """The smallest parts that explain the shortfall of these days; none where nothing leaks."""
    parts = scan(steps, judged.phi)
    leaking = [part for part in parts if judged.leaks(part.counted)]
    if not leaking:
        return [WHOLE] if judged.is_leak else []
    rest = _rest(parts, steps)
    lost = sum(part.counted.shortfall(judged.floor) for part in leaking)
    explained = lost / (lost + rest.shortfall(judged.floor)) if lost > 0 else 0.0
    if explained < LEAST_EXPLAINED and judged.leaks(rest):
        return [WHOLE]
    return [part.scope for part in leaking]


def explained_share(floor: float, step: StepCounts, scope: Scope) -> float:
    """Sum of max(0, floor n - x) over the scope's cells, as a share of that over all; NaN where no
    cell falls short.
    """
    successes, trials = step.by_cell()
    short = np.maximum(0.0, floor * trials - successes)
    total = short.sum()
    return float(short[step.cube.members(scope)].sum() / total) if total > 0 else np.nan


def _rest(parts: Sequence[Part], steps: Sequence[StepCounts]) -> Counted:
    """What is in none of the parts, in the first cube that can tell them all."""
    step = next(step for step in steps if all(step.cube.has(part.scope) for part in parts))
    inside = np.any([step.cube.members(part.scope) for part in parts], axis=0)
    return step.counted(~inside)
