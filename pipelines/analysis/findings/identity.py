"""Which finding of today is which of the days before, and what became of it.

What belongs here: matching by step and overlap of cells, identifiers, states. Memory is what
`ops.findings` keeps of every published run.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from pipelines.analysis.findings.cubes import Scope, StepCounts, as_json

# Two scopes are one finding where this share of their sessions is in both.
LEAST_OVERLAP = 0.5
# A finding that healed is told for so long, and one that fell once more is called worse.
HEALED_DAYS, WORSE_DAYS = 28, 14
# P(rate < floor) above which a step still leaks after a recovery.
RATHER_BELOW = 0.5


class State(StrEnum):
    """What became of a finding since the run before."""

    NEW = "new"
    ONGOING = "ongoing"
    WORSE = "worse"
    IMPROVING = "improving"
    HEALED = "healed"


@dataclass(frozen=True)
class Remembered:
    """A finding as an earlier run published it."""

    finding_id: str
    step_key: str
    scope: Scope
    first_seen: date
    healed_date: date | None

    def is_over(self, night: date) -> bool:
        """Whether it healed so long ago that it is told no more."""
        return self.healed_date is not None and night - self.healed_date > timedelta(HEALED_DAYS)


@dataclass(frozen=True)
class Sighting:
    """What today's numbers say of a scope: days on which it last fell and since when it recovers,
    and P(rate < floor) in the window and now.
    """

    last_fall: date | None
    recovered: date | None
    p_window: float
    p_now: float


def new_id(property_id: str, step_key: str, scope: Scope, night: date) -> str:
    """Eight digits that the same first sighting always gets."""
    told = f"{property_id}|{step_key}|{as_json(scope)}|{night}"
    return hashlib.sha256(told.encode()).hexdigest()[:8]


def same_as(
    scope: Scope, earlier: Sequence[Remembered], steps: Sequence[StepCounts]
) -> Remembered | None:
    """The one of `earlier` (of the same step) that overlaps most, by half or more."""
    best = max(earlier, key=lambda one: _overlap(scope, one.scope, steps), default=None)
    if best is None or _overlap(scope, best.scope, steps) < LEAST_OVERLAP:
        return None
    return best


def _overlap(one: Scope, other: Scope, steps: Sequence[StepCounts]) -> float:
    """Sessions in both as a share of those in either; 0 where no cube can tell."""
    if one == other:
        return 1.0
    for step in steps:
        if step.cube.has(one) and step.cube.has(other):
            first, second = step.cube.members(one), step.cube.members(other)
            either = step.counted(first | second).trials
            return step.counted(first & second).trials / either if either > 0 else 0.0
    return 0.0


def state_of(seen: Sighting, before: Remembered | None, night: date, least_p: float) -> State:
    """What to call a finding tonight. A recovery is no more than `improving` while the rate since
    then is rather below the floor than not; what no longer leaks, without a day of its own, is so,
    too.
    """
    leaks_now = seen.p_now > RATHER_BELOW
    if seen.recovered is not None:
        return State.IMPROVING if leaks_now else State.HEALED
    if before is None:
        return State.NEW
    if max(seen.p_window, seen.p_now) < least_p:
        return State.IMPROVING if leaks_now else State.HEALED
    fell = seen.last_fall
    if fell is not None and fell > before.first_seen and night - fell < timedelta(WORSE_DAYS):
        return State.WORSE
    return State.ONGOING
