"""What the days of a part of the shop tell of a step: since when it leaks, and whether it still
does.

What belongs here: from a daily series to dates, rates of the stretches between them, and a state.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy import stats

from pipelines.analysis.findings.change_points import Change, find_changes
from pipelines.analysis.findings.scan import dispersion
from pipelines.analysis.stats.arrays import Floats
from pipelines.analysis.stats.leak_draws import JEFFREYS

PACE_DAYS = 7
# A finding that fell once more is called worse for so many days.
WORSE_DAYS = 14


class State(StrEnum):
    """What became of a finding since the run before."""

    NEW = "new"
    ONGOING = "ongoing"
    WORSE = "worse"
    IMPROVING = "improving"
    HEALED = "healed"


@dataclass(frozen=True)
class Counted:
    """Successes and trials of a stretch of days."""

    successes: float
    trials: float

    @property
    def rate(self) -> float:
        """NaN without trials."""
        return self.successes / self.trials if self.trials > 0 else np.nan


@dataclass(frozen=True)
class History:
    """Places in the series: `fall` since when it leaks (none: as long as there is data, and then
    `before` and `since` have no trials), `rise` since when it recovers, `last_fall` the newest.
    """

    before: Counted
    since: Counted
    now: Counted
    fall: Change | None
    rise: Change | None
    last_fall: Change | None
    p_below_now: float


def history(successes: Floats, trials: Floats, floor: float) -> History:
    """The history of a daily rate, both (days,), NaN on days nobody knows; `floor`: 0-1.

    `now` is the last `PACE_DAYS` days, fewer where the rate changed within them. `p_below_now`:
    P(rate < floor) since the last change, a Jeffreys Beta on trials over phi.
    """
    changes = find_changes(successes, trials)
    days = len(trials)
    rise = changes[-1] if changes and not changes[-1].is_fall else None
    falls = _newest_falls(changes)
    # Of falls one after another the clearest: a small step later is not when it began.
    fall = max(falls, key=lambda change: change.score, default=None)
    last = changes[-1].day if changes else 0
    since_start = fall.day if fall else days
    before_start = max((one.day for one in changes if one.day < since_start), default=0)
    now = _counted(successes, trials, max(last, days - PACE_DAYS), days)
    current = _counted(successes, trials, last, days)
    return History(
        before=_counted(successes, trials, before_start, since_start if fall else 0),
        since=_counted(successes, trials, since_start, rise.day if rise else days),
        now=now,
        fall=fall,
        rise=rise,
        last_fall=falls[-1] if falls else None,
        p_below_now=p_below(current, floor, dispersion(successes[last:], trials[last:])),
    )


def _newest_falls(changes: Sequence[Change]) -> list[Change]:
    """The falls before the last rise at the end, back to the rise before them."""
    left = list(changes)
    while left and not left[-1].is_fall:
        left.pop()
    falls: list[Change] = []
    while left and left[-1].is_fall:
        falls.insert(0, left.pop())
    return falls


def p_below(counted: Counted, floor: float, phi: float) -> float:
    """P(rate < floor) of a Jeffreys Beta on effective trials; NaN without trials."""
    if not counted.trials > 0:
        return np.nan
    trials = counted.trials / phi
    hits = min(counted.rate, 1.0) * trials
    return float(stats.beta.cdf(floor, hits + JEFFREYS, trials - hits + JEFFREYS))


def _counted(successes: Floats, trials: Floats, start: int, end: int) -> Counted:
    known = ~np.isnan(successes[start:end]) & ~np.isnan(trials[start:end])
    return Counted(float(successes[start:end][known].sum()), float(trials[start:end][known].sum()))
