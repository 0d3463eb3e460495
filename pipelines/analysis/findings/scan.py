"""Which part of a shop a step fails in: a scan over scopes (Kulldorff 1997, binomial model).

Lambda(S) = 2 [l(S) + l(rest) - l(all)] / phi with l(x, n) = x ln(x/n) + (n-x) ln(1 - x/n), over
every scope whose rate is below the rest's. A second condition has to be worth it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipelines.analysis.findings.cubes import Scope, StepCounts
from pipelines.analysis.findings.rates import Counted, likelihood
from pipelines.analysis.stats.arrays import Bools, divide


@dataclass(frozen=True)
class ScanRules:
    """What makes a part of the shop a scope; docs/analytics.md, "Findings"."""

    least_trials: float = 30.0
    least_score: float = 9.0
    per_condition: float = 3.0
    most_scopes: int = 3


RULES = ScanRules()


@dataclass(frozen=True)
class Part:
    """A scope that stands out, and its counts without the cells of parts before it."""

    scope: Scope
    counted: Counted
    score: float


def scan(steps: Sequence[StepCounts], phi: float) -> list[Part]:
    """The scopes that stand out, the clearest first, at most `RULES.most_scopes`.

    `steps`: the same step in each cube. The cells of a scope are taken out before the next is
    looked for, in every cube that can tell them; the others are not looked at any more.
    """
    found: list[Part] = []
    left = [(step, np.ones(len(step.cube.values), dtype=np.bool_)) for step in steps]
    while len(found) < RULES.most_scopes:
        parts = [part for step, kept in left if (part := _clearest(step, kept, phi)) is not None]
        if not parts:
            break
        found.append(max(parts, key=lambda part: part.score))
        scope = found[-1].scope
        left = [
            (step, kept & ~step.cube.members(scope)) for step, kept in left if step.cube.has(scope)
        ]
    return found


def _clearest(step: StepCounts, kept: Bools, phi: float) -> Part | None:
    """The scope of one cube that stands out most among the cells that are `kept`."""
    cube, (successes, trials) = step.cube, step.by_cell()
    if not cube.scopes:
        return None
    n = np.where(kept, trials, 0.0)
    # Estimates and sessions of two devices can make a part exceed the whole.
    x = np.minimum(np.where(kept, successes, 0.0), n)
    inside_x, inside_n = cube.memberships @ x, cube.memberships @ n
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
    scope = cube.scopes[best]
    return Part(scope, step.counted(cube.members(scope) & kept), float(score[best]))
