"""Since when a rate is what it is: the days at which it changed, and how sure these are.

One split at a time: the day that parts the days before it best from those after (binomial
likelihood ratio over phi), then the same on each side of it (binary segmentation, Vostrikova 1981).
Each is then told anew from the days between its neighbours (Bai 1997): found first, it was split
from days of other rates, too, and its set may have reached beyond the day of the recovery.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.analysis.findings.rates import likelihood
from pipelines.analysis.stats.arrays import Floats


@dataclass(frozen=True)
class ChangeRules:
    """What is called a change; docs/analytics.md, "Findings"."""

    least_days: int = 3
    least_score: float = 9.8
    within: float = 5.99
    most_changes: int = 4


RULES = ChangeRules()


@dataclass(frozen=True)
class Change:
    """A day on which the rate changed: places in the series; `day` is the first of the new rate.

    `earliest` to `latest` is the 95 % set of that day.
    """

    day: int
    earliest: int
    latest: int
    is_fall: bool
    score: float


def find_changes(successes: Floats, trials: Floats) -> list[Change]:
    """Changes of a daily rate, in the order of days; both (days,), NaN on days nobody knows.

    Days without trials tell nothing and are passed over. At most `RULES.most_changes`, the clearest
    first.
    """
    is_told = np.nan_to_num(trials) > 0
    places = np.flatnonzero(is_told)
    n = trials[is_told]
    x = np.minimum(successes[is_told], n)
    found: list[Change] = []
    open_parts = [(0, len(n))]
    while open_parts and len(found) < RULES.most_changes:
        start, end = open_parts.pop(0)
        change = _split(x, n, start, end)
        if change is not None:
            found.append(change)
            open_parts += [(start, change.day), (change.day, end)]
    found.sort(key=lambda change: change.day)
    start = 0
    for place, change in enumerate(found):
        end = found[place + 1].day if place + 1 < len(found) else len(n)
        found[place] = _split(x, n, start, end) or replace(
            change, earliest=max(change.earliest, start + 1), latest=min(change.latest, end - 1)
        )
        start = found[place].day
    return [
        replace(
            change,
            day=int(places[change.day]),
            earliest=int(places[change.earliest]),
            latest=int(places[change.latest]),
        )
        for change in found
    ]


def _split(successes: Floats, trials: Floats, start: int, end: int) -> Change | None:
    """The clearest change of the days from `start` to before `end`, if it is clear enough."""
    x, n = successes[start:end], trials[start:end]
    days = end - start
    first, last = RULES.least_days, days - RULES.least_days
    if last < first:
        return None
    before_x, before_n = np.cumsum(x)[:-1], np.cumsum(n)[:-1]
    after_x, after_n = x.sum() - before_x, n.sum() - before_n
    score = 2 * (
        likelihood(before_x, before_n) + likelihood(after_x, after_n) - likelihood(x.sum(), n.sum())
    )
    split = np.arange(1, days)
    score = np.where(split >= first, score, -np.inf)
    best = int(np.argmax(score))
    day = int(split[best])
    scaled = score / _dispersion_around(x, n, day)
    # One or two days may be where it began, but alone they are no change.
    if scaled[split <= last].max() < RULES.least_score:
        return None
    near = split[scaled >= scaled[best] - RULES.within]
    is_fall = bool(after_x[best] / after_n[best] < before_x[best] / before_n[best])
    return Change(
        start + day, start + int(near.min()), start + int(near.max()), is_fall, float(scaled[best])
    )


def _dispersion_around(x: Floats, n: Floats, day: int) -> float:
    """phi of the days around the two rates of a split: Pearson's chi^2 per degree of freedom."""
    total = 0.0
    for part in (slice(None, day), slice(day, None)):
        rate = x[part].sum() / n[part].sum()
        if 0 < rate < 1:
            off = (x[part] - n[part] * rate) ** 2 / (n[part] * rate * (1 - rate))
            total += float(off.sum())
    return max(1.0, total / max(1, len(n) - 2))
