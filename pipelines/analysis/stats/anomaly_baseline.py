"""Which days of its past a rate is compared with: those of the level that it had most of the time.

What belongs here: the levels of a rate between the days at which it changed. Without them a fall
that lasts becomes what is expected: after 20 days at 7 % the shop that had 58 % expects 45 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.analysis.findings.change_points import RULES as CHANGES
from pipelines.analysis.findings.change_points import find_changes
from pipelines.analysis.stats.arrays import Bools, Floats, Ints, divide, is_rate

STRETCHES = CHANGES.most_changes + 1
SAME_LEVEL = 0.15
"""Two stretches are of one level where their rates differ by no more: what is no alert either."""


@dataclass(frozen=True)
class Levels:
    """Stretches of days between changes: `stretch` (series, days) their number, from 0 on; `rate`
    (series, `STRETCHES`), NaN where there is none.
    """

    stretch: Ints
    rate: Floats

    @classmethod
    def of(cls, successes: Floats, trials: Floats, is_usable: Bools) -> Levels:
        """From daily counts, (series, days) each."""
        # Whole numbers have exact sums: successes that exceed trials by 1e-16 have no likelihood.
        x, n = np.rint(successes), np.rint(trials)
        is_told = is_usable & is_rate(x, n)
        x, n = (np.where(is_told, one, np.nan) for one in (x, n))
        stretch = np.zeros(n.shape, dtype=np.int64)
        for row, (own_x, own_n) in enumerate(zip(x, n, strict=True)):
            for change in find_changes(own_x, own_n):
                stretch[row, change.day :] += 1
        is_of = [stretch == number for number in range(STRETCHES)]
        of_stretch = [
            np.stack([np.nansum(np.where(each, one, 0.0), axis=1) for each in is_of], axis=1)
            for one in (x, n)
        ]
        return cls(stretch, divide(*of_stretch))

    def baseline(self, past: slice, is_usable: Bools) -> Bools:
        """The usable days of `past` at the level that most of them have, (series, days of `past`).

        So the days after a change are left out until the new level has lasted longer than the old.
        """
        stretch = self.stretch[:, past]
        days = np.stack(
            [((stretch == number) & is_usable).sum(axis=1) for number in range(STRETCHES)], axis=1
        )
        usual = np.take_along_axis(self.rate, days.argmax(axis=1)[:, None], axis=1)
        is_usual = np.abs(self.rate - usual) <= SAME_LEVEL * usual
        kept: Bools = is_usable & np.take_along_axis(is_usual, stretch, axis=1)
        return kept
