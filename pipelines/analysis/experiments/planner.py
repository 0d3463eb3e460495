"""How long each metric of a shop takes to show a lift, beside the macro metric.

What belongs here: the table that `sluice experiment plan` shows; the sizes are in `sizes`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from math import ceil
from typing import Any

from pipelines.analysis.experiments.register import LEAST_DAYS
from pipelines.analysis.experiments.sizes import (
    ALPHA,
    POWER,
    detectable_lift,
    times_for_looks,
    units_per_arm,
)
from pipelines.wording import words

LEAST_WEEKS = LEAST_DAYS // 7

MOST_WEEKS = 8
"""Longer than two months few experiments hold: cookies go, seasons come (house default)."""

RHOS = (1.0, 0.9, 0.8, 0.75, 0.5)
RECOMMENDED = ("progression", "intent")
"""Families whose lift may carry on to the purchase; engagement only goes along with it."""


@dataclass(frozen=True)
class Candidate:
    """A metric of a shop: `numerator` of `denominator` units in `weeks`.

    `phi`: how many times more the rate varies than independent units do. `place`: how near it is to
    the purchase, higher is nearer.
    """

    key: str
    parent_key: str
    family: str
    numerator: float
    denominator: float
    weeks: float
    phi: float = 1.0
    place: int = 0

    @property
    def rate(self) -> float:
        """Of the units that convert, 0-1."""
        return self.numerator / self.denominator

    @property
    def weekly_units(self) -> float:
        """Units a week that come into the experiment."""
        return self.denominator / self.weeks


@dataclass(frozen=True)
class Wish:
    """What is to be shown: a relative lift of the macro rate, of which a micro rate's is `rho`
    times; `weeks` is the time in which the smallest detectable lift is told.
    """

    lift: float = 0.20
    rho: float = 1.0
    alpha: float = ALPHA
    power: float = POWER
    variants: int = 2
    weeks: int = 4

    @property
    def alpha_each(self) -> float:
        """Alpha of each comparison with the control (Bonferroni)."""
        return self.alpha / (self.variants - 1)


@dataclass(frozen=True)
class SpeedUp:
    """How many times sooner than the macro metric, if the micro lift is `rho` times the macro's."""

    rho: float
    speed_up: float | None


@dataclass(frozen=True)
class MetricPlan:
    """One metric: units of each arm and weeks for its lift; None where it cannot be shown.

    `weeks` are whole and two at least, `weeks_exact` neither; `weeks_nightly` are the most that it
    takes if it may be stopped on any day. `detectable_lift` is relative, in the weeks of the wish.
    `speed_up` compares weeks_exact with the macro metric's.
    """

    key: str
    parent_key: str
    family: str
    numerator: float
    denominator: float
    rate: float
    weekly_units: float
    phi: float
    lift: float
    units_per_arm: int | None
    weeks: int | None
    weeks_nightly: int | None
    weeks_exact: float | None
    detectable_lift: float | None
    speed_up: float | None
    speed_up_by_rho: tuple[SpeedUp, ...]


@dataclass(frozen=True)
class Plan:
    """All metrics, quickest first; `primary` and `guardrail` are keys, `reason` says why."""

    wish: Wish
    metrics: tuple[MetricPlan, ...]
    primary: str | None
    guardrail: str | None
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def make_plan(candidates: list[Candidate], macro: Candidate | None, wish: Wish) -> Plan:
    """The plan of each candidate beside the macro metric's, which is one of the table's rows."""
    metrics = [_planned(one, macro, wish, wish.rho) for one in candidates]
    if macro is not None:
        metrics.append(_planned(macro, macro, wish, 1.0))
    places = {one.key: one.place for one in candidates}
    metrics.sort(key=lambda one: (one.weeks_exact is None, one.weeks_exact, one.key))
    own = None if macro is None else next(one for one in metrics if one.key == macro.key)
    best = _recommended(metrics, own, places)
    return Plan(
        wish,
        tuple(metrics),
        None if best is None else best.key,
        None if macro is None else macro.key,
        _reason(best, own),
    )


def weeks_needed(candidate: Candidate, wish: Wish, lift: float) -> float | None:
    """Weeks, not rounded, until every arm has its units for a relative lift of `lift`.

    None where the lifted rate is above 100 %, or nobody converts.
    """
    lifted = candidate.rate * (1 + lift)
    if not candidate.rate > 0 or lifted > 1:
        return None
    return _units(candidate, wish, lift) * wish.variants / candidate.weekly_units


def _units(candidate: Candidate, wish: Wish, lift: float) -> float:
    rate = candidate.rate
    return candidate.phi * units_per_arm(rate, rate * (1 + lift), wish.alpha_each, wish.power)


def _planned(candidate: Candidate, macro: Candidate | None, wish: Wish, rho: float) -> MetricPlan:
    lift = wish.lift * rho
    exact = weeks_needed(candidate, wish, lift)
    of_macro = None if macro is None else weeks_needed(macro, wish, wish.lift)

    def speed_up(one: float) -> float | None:
        own = weeks_needed(candidate, wish, wish.lift * one)
        return None if own is None or of_macro is None else of_macro / own

    in_time = candidate.weekly_units * wish.weeks / wish.variants / candidate.phi
    is_able = 0 < candidate.rate < 1
    return MetricPlan(
        key=candidate.key,
        parent_key=candidate.parent_key,
        family=candidate.family,
        numerator=candidate.numerator,
        denominator=candidate.denominator,
        rate=candidate.rate,
        weekly_units=candidate.weekly_units,
        phi=candidate.phi,
        lift=lift,
        units_per_arm=None if exact is None else ceil(_units(candidate, wish, lift)),
        weeks=None if exact is None else max(LEAST_WEEKS, ceil(exact)),
        weeks_nightly=None
        if exact is None
        else max(LEAST_WEEKS, ceil(exact * times_for_looks(wish.alpha_each, wish.power))),
        weeks_exact=exact,
        detectable_lift=detectable_lift(candidate.rate, in_time, wish.alpha_each, wish.power)
        if is_able
        else None,
        speed_up=speed_up(rho),
        speed_up_by_rho=()
        if macro is None or candidate is macro
        else tuple(SpeedUp(one, speed_up(one)) for one in RHOS),
    )


def _recommended(
    metrics: list[MetricPlan], macro: MetricPlan | None, places: dict[str, int]
) -> MetricPlan | None:
    """The metric nearest to the purchase that takes eight weeks at most, else the quickest."""
    able = [
        one
        for one in metrics
        if one.weeks is not None and (one.family in RECOMMENDED or one is macro)
    ]
    near = [one for one in able if (one.weeks or 0) <= MOST_WEEKS]
    if macro in near:
        return macro
    return max(near, key=lambda one: places[one.key], default=next(iter(able), None))


def _reason(best: MetricPlan | None, macro: MetricPlan | None) -> str:
    if best is None:
        return "No metric can show this lift: take another."
    nearest = (
        f"of what takes {MOST_WEEKS} weeks at most it is nearest to the purchase"
        if (best.weeks or 0) <= MOST_WEEKS
        else "nothing is quicker"
    )
    takes = f"{words(best.key).capitalize()} takes {best.weeks} weeks, and {nearest}"
    if macro is None:
        return (
            f"{takes}; the macro rate is not known, so nothing guards what a lift of it is worth."
        )
    if best is macro:
        return f"{takes}: no other metric has to stand for it."
    of_macro = "cannot show its lift" if macro.weeks is None else f"takes {macro.weeks}"
    return f"{takes}; {words(macro.key)} {of_macro} and is watched as guardrail."
