"""What was changed, and what is tried: the entries of a shop's register, and which of them meet.

One change at a time: of two that meet in time, place and audience nobody can tell which one did it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path

CONTROL = "control"
LEAST_VARIANTS, MOST_VARIANTS = 2, 20
SHARE_TOLERANCE = 1e-6
"""How far from 1 the shares of a split may add up."""

LEAST_EFFECT = 1e-9
"""No shop has the units that would show less, absolute or relative."""

LEAST_DAYS = 14
"""Two whole weeks: every weekday twice (house default)."""

NAIVE = (
    "These are GA4's aggregates: the interval and p hold the error of its estimates, but not users "
    "who saw several variants."
)
"""What is said beside outcomes of which no user is known."""

STAGES = ("site", "home", "collection", "product", "cart", "checkout", "outcome")
"""In the order of the journey; `site` is all of them."""

EVERYWHERE, ALL = "site", "all"


class Kind(StrEnum):
    """What an entry is."""

    EXPERIMENT = "experiment"
    CHANGE = "change"


class State(StrEnum):
    """Where an entry stands on a day; withdrawn: it had begun, and is in the register no more."""

    PLANNED = "planned"
    RUNNING = "running"
    ENDED = "ended"
    WITHDRAWN = "withdrawn"


OVER = (State.ENDED.value, State.WITHDRAWN.value)
"""The states of what has an end."""


class Per(StrEnum):
    """What the rate of an experiment that GA4 tells of is a share of; the unit is the user."""

    USER = "user"
    SESSION = "session"


@dataclass(frozen=True)
class Exposure:
    """How GA4 knows which variant a user was shown: an event, and the parameter that names it.

    `values`: variant → the parameter's value; empty where it is TOOL-EXPERIMENT-VARIANT, as
    Google has testing tools send it (Analytics, "Create an experiment integration").
    """

    event: str = "experience_impression"
    parameter: str = "exp_variant_string"
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Trial:
    """What only an experiment has: shares of its variants, the control first, and its metrics.

    `smallest_effect` is absolute, None for the default. Its outcomes are in a CSV file, `outcomes`,
    or are those of GA4's users after their `exposure`: one of the two is there. `per`: of the
    second, what is counted.
    """

    variants: Mapping[str, float]
    primary_metric: str
    guardrail: str
    smallest_effect: float | None = None
    outcomes: Path | None = None
    exposure: Exposure | None = None
    per: Per = Per.USER


@dataclass(frozen=True)
class Change:
    """An entry: a change of the site, or an experiment (then it has a `trial`).

    `stage` is where it is, `key` the micro-conversion that it is about ('' for none), `page` a path
    ('' for all), `device` a device or `all`. `end` None goes on.
    """

    id: str
    property_id: str
    description: str
    stage: str
    start: date
    end: date | None = None
    key: str = ""
    page: str = ""
    device: str = ALL
    elements: tuple[str, ...] = ()
    trial: Trial | None = None

    @property
    def kind(self) -> Kind:
        """Whether it is tried on a part of the visitors, or there for all of them."""
        return Kind.CHANGE if self.trial is None else Kind.EXPERIMENT

    def state(self, today: date) -> State:
        """On `today`; a change of the site is over only where it was taken back."""
        if self.start > today:
            return State.PLANNED
        return State.ENDED if self.end is not None and self.end < today else State.RUNNING

    @property
    def last_day(self) -> date:
        """Until when it can be confused with another: an experiment to its end, a change for the
        two weeks in which its effect shows (house default), or until it was taken back.
        """
        if self.end is not None:
            return self.end
        return date.max if self.trial else self.start + timedelta(days=LEAST_DAYS - 1)


@dataclass(frozen=True)
class Register:
    """All entries, experiments first; ids are unique."""

    entries: tuple[Change, ...] = ()
    meetings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, entries: Sequence[Change]) -> Register:
        """With the ids that each entry meets, in the order of the entries."""
        return cls(
            tuple(entries),
            {
                one.id: tuple(
                    other.id for other in entries if other is not one and meet(one, other)
                )
                for one in entries
            },
        )

    @property
    def experiments(self) -> tuple[tuple[Change, Trial], ...]:
        """Those that are tried."""
        return tuple((one, one.trial) for one in self.entries if one.trial is not None)

    def met(self, entry: Change, today: date) -> tuple[str, ...]:
        """What an entry meets by today."""
        planned = {one.id for one in self.entries if one.state(today) is State.PLANNED}
        return begun(self.meetings[entry.id], planned)


def begun(meets: Iterable[str], planned: Collection[str]) -> tuple[str, ...]:
    """Of the ids that an entry meets, those that have begun: the others did nothing yet."""
    return tuple(one for one in meets if one not in planned)


def meet(one: Change, other: Change) -> bool:
    """Whether two are of the same shop, days, audience and page, at one or the next stage."""
    return (
        one.property_id == other.property_id
        and one.start <= other.last_day
        and other.start <= one.last_day
        and (one.device == other.device or ALL in (one.device, other.device))
        and is_near(one.stage, other.stage)
        and (_is_beneath(one.page, other.page) or _is_beneath(other.page, one.page))
    )


def control_first(variants: Iterable[str]) -> list[str]:
    """Each name once: the one named `control`, else the first; then the others as they stand."""
    names = list(dict.fromkeys(variants))
    control = next((name for name in names if name.casefold() == CONTROL), names[0])
    return sorted(names, key=lambda name: name != control)


def is_near(one: str, other: str) -> bool:
    """Whether two stages are the same, one is next to the other, or one is the whole site."""
    return EVERYWHERE in (one, other) or abs(STAGES.index(one) - STAGES.index(other)) <= 1


def _is_beneath(page: str, above: str) -> bool:
    """`/shoes/red` is beneath `/shoes`, and every page beneath ''."""
    return not above or page == above or page.startswith(above.rstrip("/") + "/")
