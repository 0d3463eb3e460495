"""Which part of a shop a step fails in: a scan over scopes (Kulldorff 1997, binomial model).

Lambda(S) = 2 [l(S) + l(rest) - l(all)] / phi with l(x, n) = x ln(x/n) + (n-x) ln(1 - x/n), over
every scope whose rate is below the rest's. A second condition has to be worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import xlogy

from pipelines.analysis.findings.cubes import Cube, Scope
from pipelines.analysis.stats.arrays import Bools, Floats, divide


@dataclass(frozen=True)
class ScanRules:
    """What makes a part of the shop a scope; docs/analytics.md, "Findings"."""

    least_trials: float = 30.0
    least_score: float = 9.0
    per_condition: float = 3.0
    most_scopes: int = 3
    least_pairs: int = 7


RULES = ScanRules()


@dataclass(frozen=True)
class Part:
    """A scope that stands out, and the cube that tells it."""

    scope: Scope
    cube: Cube
    score: float


def dispersion(successes: Floats, trials: Floats) -> float:
    """phi of daily counts, at least 1, from the differences of neighbouring days (von Neumann
    1941): unlike Pearson's, a step from one day to the next hardly moves it. 1 where fewer than
    seven pairs of days can tell.
    """
    has_trials = trials > 0
    x, n = np.minimum(successes, trials)[has_trials], trials[has_trials]
    # Each pair has the rate of its own days: the variance before a fall is another than after.
    together = (x[1:] + x[:-1]) / (n[1:] + n[:-1])
    expected = together * (1 - together) * (1 / n[1:] + 1 / n[:-1])
    squared = (x[1:] / n[1:] - x[:-1] / n[:-1]) ** 2
    is_told = expected > 0
    if is_told.sum() < RULES.least_pairs:
        return 1.0
    return max(1.0, float(np.mean(squared[is_told] / expected[is_told])))


def scan(cubes: Sequence[Cube], counts: Sequence[tuple[Floats, Floats]], phi: float) -> list[Part]:
    """The scopes that stand out, the clearest first, at most `RULES.most_scopes`.

    `counts`: of each cube the successes and trials of the step by cell, (cells,) each. The cells of
    a scope are taken out before the next is looked for, in every cube that can tell them.
    """
    found: list[Part] = []
    left = [np.ones(len(cube.values), dtype=np.bool_) for cube in cubes]
    while len(found) < RULES.most_scopes:
        best = [
            _clearest(cube, successes, trials, kept, phi)
            for cube, (successes, trials), kept in zip(cubes, counts, left, strict=True)
            if all(cube.has(part.scope) for part in found)
        ]
        parts = [part for part in best if part is not None]
        if not parts:
            break
        found.append(max(parts, key=lambda part: part.score))
        for cube, kept in zip(cubes, left, strict=True):
            if cube.has(found[-1].scope):
                kept[cube.members(found[-1].scope)] = False
    return found


def _clearest(
    cube: Cube, successes: Floats, trials: Floats, kept: Bools, phi: float
) -> Part | None:
    """The scope of one cube that stands out most among the cells that are `kept`."""
    if not cube.scopes:
        return None
    n = np.where(kept, np.nan_to_num(trials), 0.0)
    # Estimates and sessions of two devices can make a part exceed the whole.
    x = np.minimum(np.where(kept, np.nan_to_num(successes), 0.0), n)
    members = cube.memberships.astype(np.float64)
    inside_x, inside_n = members @ x, members @ n
    rest_x, rest_n = x.sum() - inside_x, n.sum() - inside_n
    ratio = likelihood(inside_x, inside_n) + likelihood(rest_x, rest_n)
    score = 2 * (ratio - likelihood(x.sum(), n.sum())) / phi
    conditions = np.array([len(scope) for scope in cube.scopes])
    score = score - RULES.per_condition * (conditions - 1)
    with np.errstate(invalid="ignore"):
        is_lower = divide(inside_x, inside_n) < divide(rest_x, rest_n)
    score[~(is_lower & (inside_n >= RULES.least_trials))] = -np.inf
    best = int(np.argmax(score))
    if score[best] < RULES.least_score:
        return None
    return Part(cube.scopes[best], cube, float(score[best]))


def likelihood(x: Floats, n: Floats) -> Floats:
    """Binomial log-likelihood at the observed rate; 0 without trials."""
    # Differences of sums that are not whole may be a rounding below 0.
    x, n = np.maximum(x, 0.0), np.maximum(n, x)
    return np.asarray(xlogy(x, x) + xlogy(n - x, n - x) - xlogy(n, n), dtype=np.float64)
