"""What to do with a variant, in one word, a sentence, and the weeks that are still needed.

The rules are docs/experiments.md, "Verdicts".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

import numpy as np
from scipy import optimize

from pipelines.analysis.experiments.register import LEAST_DAYS
from pipelines.wording import counted

WORST_MACRO = -0.05
"""A variant is shipped where its macro rate cannot be lower by more than this, relative."""

MOST_TIMES = 1000.0
"""What would take so many times the units that there are is never decided."""


class Verdict(StrEnum):
    """What to do; the first of an experiment's comparisons that holds is the experiment's."""

    SHIP = "ship"
    HOLD = "hold, macro unproven"
    KEEP_RUNNING = "keep running"
    UNDECIDED = "undecided"
    STOP = "stop"
    REJECT = "reject"
    INVALID = "invalid"


@dataclass(frozen=True)
class Bounds:
    """A difference, the interval that decides about it, and its half width with k times the units.

    `rate` is the control's; shares are told in points of a per cent, other rates as they are.
    """

    difference: float
    low: float
    high: float
    rate: float
    is_share: bool
    half_at: Callable[[float], float]

    def times_until(self, bound: float) -> float | None:
        """With how many times the units the interval would not hold `bound`, if nothing moves."""
        room = abs(self.difference - bound)
        if not self.half_at(MOST_TIMES) < room:
            return None
        if self.half_at(1.0) <= room:
            return 1.0
        return float(optimize.brentq(lambda times: self.half_at(times) - room, 1.0, MOST_TIMES))


@dataclass(frozen=True)
class Evidence:
    """What is known of a variant against the control.

    `p_value` is that which decides (Holm's), `p_at_end` the fixed horizon's. `times_planned` is
    how many times the planned units there are, None where nobody knows how many it takes;
    `has_effect`: whether a smallest effect is known; `days` None where the file has no dates.
    """

    variant: str
    primary: Bounds
    p_value: float
    p_at_end: float
    alpha: float
    times_planned: float | None
    has_effect: bool
    days: int | None
    macro: Bounds | None


@dataclass(frozen=True)
class Decision:
    """Verdict, the sentence that says why, and whole weeks that are still needed, if known."""

    verdict: Verdict
    reason: str
    weeks_left: int | None


def decide(known: Evidence) -> Decision:
    """The first rule that holds; docs/experiments.md, "Verdicts", lists them in this order."""
    name, primary, macro = known.variant, known.primary, known.macro
    is_told = known.p_value <= known.alpha
    if macro is not None and macro.high < 0:
        return Decision(
            Verdict.REJECT,
            f"'{name}' lowers the macro rate ({_interval(macro)}), whatever the primary does.",
            0,
        )
    if is_told and primary.difference < 0:
        return Decision(
            Verdict.REJECT, f"'{name}' lowers the primary rate ({_interval(primary)}).", 0
        )
    if is_told and known.days is not None and known.days < LEAST_DAYS:
        weeks = ceil((LEAST_DAYS - known.days) / 7)
        return Decision(
            Verdict.KEEP_RUNNING,
            f"'{name}' raises the primary rate ({_interval(primary)}), but has run for "
            f"{counted(known.days, 'day')}: weekdays differ, so two whole weeks are the least.",
            weeks,
        )
    if is_told:
        return _guarded(known)
    return _undecided(known)


def _guarded(known: Evidence) -> Decision:
    """A variant whose primary rate is higher: what its macro rate says."""
    won = f"'{known.variant}' raises the primary rate ({_interval(known.primary)})"
    macro = known.macro
    if macro is None:
        return Decision(
            Verdict.HOLD,
            f"{won}, but nothing tells what it does to the macro rate: give totals "
            "with macro_converted, the same numbers as converted where the primary is the purchase "
            "itself.",
            None,
        )
    worst = WORST_MACRO * macro.rate
    if macro.low > worst:
        return Decision(
            Verdict.SHIP,
            f"{won}, and its macro rate is not lower by {-WORST_MACRO:.0%} of itself "
            f"(the bound is {_points(worst)}): {_interval(macro)}.",
            0,
        )
    weeks = _weeks(known, macro.times_until(worst) if macro.difference > worst else None)
    return Decision(
        Verdict.HOLD,
        f"{won}, but its macro rate may be lower by more than {-WORST_MACRO:.0%} of itself "
        f"(the bound is {_points(worst)}): {_interval(macro)}.",
        weeks,
    )


def _undecided(known: Evidence) -> Decision:
    """A variant whose primary rate is not told apart from the control's."""
    name, primary = known.variant, known.primary
    if known.times_planned is None:
        why = (
            "users who are few or do not differ do not tell how many of them it takes"
            if known.has_effect
            else "nobody of the control converted, and a share of nothing is no smallest effect: "
            "say which one matters, with --smallest-effect or smallest_effect in experiments.yml"
        )
        return Decision(
            Verdict.KEEP_RUNNING,
            f"'{name}' is not told apart from the control yet; {why}.",
            None,
        )
    is_long = known.days is None or known.days >= LEAST_DAYS
    if known.times_planned >= 1 and known.p_at_end > known.alpha and is_long:
        return Decision(
            Verdict.STOP,
            f"'{name}' is not told apart from the control with all of the planned units "
            f"({_interval(primary)}).",
            0,
        )
    if known.times_planned >= 1:
        weeks = _weeks(known, primary.times_until(0.0))
    else:
        weeks = _weeks(known, 1 / known.times_planned if known.times_planned else None)
    is_peek = known.p_at_end <= known.alpha
    peek = f"; p {known.p_at_end:.2g} would count at the planned end only" if is_peek else ""
    return Decision(
        Verdict.KEEP_RUNNING,
        f"'{name}' is not told apart from the control yet ({_interval(primary)}), with "
        f"{known.times_planned:.0%} of the planned units{peek}.",
        weeks,
    )


def _weeks(known: Evidence, times: float | None) -> int | None:
    """Whole weeks until there are `times` the units at the pace so far; two in all at least.

    None where that is not in sight.
    """
    if known.days is None or times is None or times > MOST_TIMES:
        return None
    days = max((times - 1) * known.days, LEAST_DAYS - known.days, 0)
    return ceil(round(days / 7, 9))


def _interval(bounds: Bounds) -> str:
    if np.isnan(bounds.low + bounds.high):
        return "too few units or conversions for an interval"
    if not bounds.is_share:
        return f"{bounds.difference:+.4g}, interval {bounds.low:+.4g} to {bounds.high:+.4g}"
    low, high = f"{100 * bounds.low:+.2f}", f"{100 * bounds.high:+.2f}"
    return f"{_points(bounds.difference)}, interval {low} to {high}"


def _points(difference: float) -> str:
    """A difference of rates, in points of a per cent."""
    return f"{100 * difference:+.2f} points"
