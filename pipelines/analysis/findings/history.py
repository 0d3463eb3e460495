"""What the days of a part of the shop tell of a step: since when it leaks, and whether it still
does.

What belongs here: from a daily series to its changes and the rates of the stretches between them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.analysis.findings.change_points import Change, find_changes
from pipelines.analysis.findings.rates import Counted, dispersion
from pipelines.analysis.stats.arrays import Floats

PACE_DAYS = 7


@dataclass(frozen=True)
class History:
    """Places in the series: `fall` since when it leaks (none: as long as there is data, and then
    `before` and `since` have no trials), `rise` since when it recovers, `last_fall` the newest.
    `now_days`: how many the counts of `now` are of.
    """

    before: Counted
    since: Counted
    now: Counted
    now_days: int
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
    since = fall.day if fall else days
    before = max((change.day for change in changes if change.day < since), default=0)
    now = max(last, days - PACE_DAYS)

    def counted(start: int, end: int) -> Counted:
        return Counted.of(successes[start:end], trials[start:end])

    return History(
        before=counted(before, since if fall else before),
        since=counted(since, rise.day if rise else days),
        now=counted(now, days),
        now_days=days - now,
        fall=fall,
        rise=rise,
        last_fall=falls[-1] if falls else None,
        p_below_now=counted(last, days).p_below(floor, dispersion(successes[last:], trials[last:])),
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
