"""Experiments whose outcomes GA4 tells: which variant a value of the exposure's parameter is.

What belongs here: what both routes need to know before they count, and the sentences about what
they find. How users are counted is the route's (`export/experiments.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.analysis.experiments.errors import ExperimentError
from pipelines.analysis.experiments.register import LEAST_DAYS, Change, Exposure, Register, Trial
from pipelines.config.tracking_plan import MicroConversion, TrackingPlan
from pipelines.wording import counted, nearest, shown

AROUND = timedelta(days=LEAST_DAYS)
"""So long before and after an experiment exposures are looked for that do not count."""


@dataclass(frozen=True)
class Exposed:
    """An experiment, and the events of its exposure and its metrics."""

    entry: Change
    trial: Trial
    exposure: Exposure
    primary: MicroConversion
    guardrail: MicroConversion

    @property
    def parameters(self) -> frozenset[str]:
        """Event parameters that are read to count it."""
        conditions = (*self.primary.conditions, *self.guardrail.conditions)
        return frozenset({self.exposure.parameter, *(one.name for one in conditions)})

    @property
    def pattern(self) -> str:
        """A regular expression (RE2's and Python's) that every value of its variants matches."""
        known = self.exposure.values.values()
        if known:
            return f"({'|'.join(map(re.escape, known))})"
        return rf"([^-]*-)?{re.escape(self.entry.id)}-(.+)"

    def days(self, known: Iterable[date]) -> list[date]:
        """Those of the experiment."""
        return [day for day in known if self.entry.start <= day <= (self.entry.end or day)]


def exposed_experiments(register: Register, plan: TrackingPlan) -> tuple[Exposed, ...]:
    """The experiments of the register that name no file of outcomes."""
    micros = {micro.key: micro for micro in plan.micro_conversions}
    return tuple(
        Exposed(entry, trial, trial.exposure, micros[trial.primary_metric], micros[trial.guardrail])
        for entry, trial in register.experiments
        if trial.exposure is not None
    )


def variants_of(one: Exposed, seen: Mapping[str, int], where: str) -> dict[str, str]:
    """Value of the parameter → variant, of all values that were `seen` with so many users.

    Raises ExperimentError: none is the experiment's, or one is of a variant that it has not, or a
    variant has none. `where`: what was looked at, as a sentence's end says it.
    """
    named = {value: name for value in seen if (name := _variant(one, value)) is not None}
    if not named:
        raise ExperimentError(_never(one, seen, where))
    for value, name in named.items():
        if name not in one.trial.variants:
            raise ExperimentError(
                f"{one.exposure.event} shows {counted(seen[value], 'user')} the variant "
                f"{shown(name)} ({shown(value)}), which the experiment {shown(one.entry.id)} has "
                "not: add it to the register, or write exposure_values."
            )
    for name in one.trial.variants:
        if name not in named.values():
            raise ExperimentError(
                f"No user of {where} was shown the variant {shown(name)} of the experiment "
                f"{shown(one.entry.id)}: see that it is sent as {shown(_value(one, name))}, or "
                "write exposure_values."
            )
    return named


def _variant(one: Exposed, value: str) -> str | None:
    """The variant that a value names, one of the register or not; None for other experiments'."""
    if one.exposure.values:
        names = {text: name for name, text in one.exposure.values.items()}
        return names.get(value)
    found = re.fullmatch(one.pattern, value)
    return found[2] if found else None


def _value(one: Exposed, name: str) -> str:
    """What the parameter should be of a variant."""
    return one.exposure.values.get(name) or f"TOOL-{one.entry.id}-{name}"


def _never(one: Exposed, seen: Mapping[str, int], where: str) -> str:
    control = next(iter(one.trial.variants))
    wanted = _value(one, control)
    told = f"{one.exposure.event} with {one.exposure.parameter} of the experiment"
    others = ""
    if seen:
        like = nearest(wanted, seen)
        others = f" (it has {shown(like)}, of {counted(seen[like], 'user')})"
    return (
        f"There is no {told} {shown(one.entry.id)} in {where}{others}: send it as "
        f"{shown(wanted)} where a variant is shown, write in the register how it is sent, or name "
        "a file of outcomes."
    )


def outside_note(one: Exposed, before: int, after: int) -> str:
    """A sentence on users who were shown a variant on days that do not count; '' for none."""
    parts = [
        f"{counted(users, 'user')} {when} ({day})"
        for users, when, day in (
            (before, "before its start", one.entry.start),
            (after, "after its end", one.entry.end),
        )
        if users
    ]
    return f"A variant was also shown to {' and '.join(parts)}, which does not count." * bool(parts)
