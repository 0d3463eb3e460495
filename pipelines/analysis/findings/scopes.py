"""Which parts of the shop a step's shortfall belongs to.

What belongs here: one property, one step. The scan says which parts stand out; whether they, the
rest, or the whole shop are below the floor decides which of them is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipelines.analysis.findings.cubes import WHOLE, Cube, Scope
from pipelines.analysis.findings.history import PACE_DAYS, Counted, history, p_below
from pipelines.analysis.findings.scan import Part, scan
from pipelines.analysis.stats.arrays import Floats

# Parts that explain less of a shortfall than this, while the rest leaks as well, are not where it
# is: the whole shop is (house default).
LEAST_EXPLAINED = 0.9


@dataclass(frozen=True)
class Step:
    """A step of one property: places of its keys in the cubes' counts, its floor, and whether the
    shop as a whole leaks there. `phi`: dispersion of the shop's days.
    """

    numerator: int
    denominator: int
    floor: float
    is_leak: bool
    phi: float


def told_scopes(step: Step, cubes: Sequence[Cube], window: slice, least_p: float) -> list[Scope]:
    """The scopes of the window; where there is none, those of its last `PACE_DAYS` days that fell
    to where they are and leak since then: in four weeks a fault of one is thinned out.
    """
    found = scopes_of(step, cubes, window, least_p)
    if found:
        return found
    week = slice(max(window.start, window.stop - PACE_DAYS), window.stop)
    shop = _counted_in(cubes[0], WHOLE, window_counts(cubes[0], step, week))
    fresh = replace(step, is_leak=p_below(shop, step.floor, step.phi) >= least_p)
    return [
        scope
        for scope in scopes_of(fresh, cubes, week, least_p)
        if _fell_and_leaks(step, cubes, scope, least_p)
    ]


def _fell_and_leaks(step: Step, cubes: Sequence[Cube], scope: Scope, least_p: float) -> bool:
    cube = next(cube for cube in cubes if cube.has(scope))
    past = history(*daily_counts(cube, step, scope), step.floor)
    return past.fall is not None and past.rise is None and past.p_below_now >= least_p


def daily_counts(cube: Cube, step: Step, scope: Scope) -> tuple[Floats, Floats]:
    """Successes and trials of a scope by day, NaN where nobody knows them. (days,) each."""
    successes, trials = cube.step(step.numerator, step.denominator)
    inside = cube.members(scope)
    known = ~np.isnan(trials).all(axis=0)
    return (
        np.where(known, np.nansum(successes[inside], axis=0), np.nan),
        np.where(known, np.nansum(trials[inside], axis=0), np.nan),
    )


def scopes_of(step: Step, cubes: Sequence[Cube], window: slice, least_p: float) -> list[Scope]:
    """The smallest parts that explain the step's shortfall in the days of `window`; none where
    nothing leaks. A part leaks where P(rate < floor) is at least `least_p`.
    """
    counts = [window_counts(cube, step, window) for cube in cubes]
    parts = scan(cubes, counts, step.phi)
    inside = [_counted(part, cubes, counts) for part in parts]
    leaking = [
        (part, counted)
        for part, counted in zip(parts, inside, strict=True)
        if p_below(counted, step.floor, step.phi) >= least_p
    ]
    if not leaking:
        return [WHOLE] if step.is_leak else []
    rest = _rest(parts, cubes, counts)
    lost = sum(_shortfall(counted, step.floor) for _, counted in leaking)
    explained = lost / (lost + _shortfall(rest, step.floor)) if lost > 0 else 0.0
    if explained < LEAST_EXPLAINED and p_below(rest, step.floor, step.phi) >= least_p:
        return [WHOLE]
    return [part.scope for part, _ in leaking]


def window_counts(cube: Cube, step: Step, window: slice) -> tuple[Floats, Floats]:
    """Successes and trials by cell over the days of the window that are known. (cells,) each."""
    successes, trials = cube.step(step.numerator, step.denominator)
    return np.nansum(successes[:, window], axis=1), np.nansum(trials[:, window], axis=1)


def explained_share(step: Step, cube: Cube, window: slice, scope: Scope) -> float:
    """Sum of max(0, floor n - x) over the scope's cells, as a share of that over all; NaN where no
    cell falls short.
    """
    successes, trials = window_counts(cube, step, window)
    short = np.maximum(0.0, step.floor * trials - successes)
    total = short.sum()
    return float(short[cube.members(scope)].sum() / total) if total > 0 else np.nan


def _counted(part: Part, cubes: Sequence[Cube], counts: Sequence[tuple[Floats, Floats]]) -> Counted:
    place = next(place for place, cube in enumerate(cubes) if cube is part.cube)
    return _counted_in(part.cube, part.scope, counts[place])


def _counted_in(cube: Cube, scope: Scope, counts: tuple[Floats, Floats]) -> Counted:
    members = cube.members(scope)
    return Counted(*(float(one[members].sum()) for one in counts))


def _rest(
    parts: Sequence[Part], cubes: Sequence[Cube], counts: Sequence[tuple[Floats, Floats]]
) -> Counted:
    """What is in none of the parts, in a cube that can tell them all."""
    for cube, (successes, trials) in zip(cubes, counts, strict=True):
        if all(cube.has(part.scope) for part in parts):
            outside = ~np.any([cube.members(part.scope) for part in parts], axis=0)
            return Counted(float(successes[outside].sum()), float(trials[outside].sum()))
    return Counted(0.0, 0.0)


def _shortfall(counted: Counted, floor: float) -> float:
    return max(0.0, floor * counted.trials - counted.successes)
