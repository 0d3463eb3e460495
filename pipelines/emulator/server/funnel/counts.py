"""Walked users → counts, one per row of the answer.

Every user who reaches a step counts as active. A user's breakdown value is that of the event by
which they entered the funnel, so that the values of a step add up to its total.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pipelines.emulator.server.funnel.events import Events
from pipelines.emulator.server.funnel.request import FunnelRequest
from pipelines.emulator.server.funnel.walk import (
    Places,
    Reached,
    Rule,
    distinct_users,
    entries,
    next_places,
    walk,
)

TOTAL = "RESERVED_TOTAL"


class Count(NamedTuple):
    """Users of one row: of a step (from 0), a value of the split, and a date range.

    `went_on` of them reached the next step.
    """

    step: int
    value: str
    range_name: str
    users: int
    went_on: int = 0


def walk_events(request: FunnelRequest, events: Events) -> list[Reached]:
    """The steps of a funnel over the events of one date range."""
    rules = [Rule(step.is_direct, step.within) for step in request.steps]
    return walk(events.users, events.moments, events.matches, rules, request.is_open)


def table_counts(events: Events, steps: Sequence[Reached], range_name: str) -> Iterator[Count]:
    """Rows of the funnel table: per step the total and every value of the breakdown."""
    users, text = events.users, events.texts.get("breakdown")
    entered = entries(users, steps)
    for index, step in enumerate(steps):
        following = steps[index + 1].linked if index + 1 < len(steps) else np.zeros(0, dtype=int)
        stayed = np.isin(users[step.firsts], users[following])
        yield Count(index, TOTAL, range_name, len(step.firsts), int(stayed.sum()))
        if text is None:
            continue
        codes = text.indices.to_numpy()[entered[step.firsts]]
        for code in np.unique(codes):
            chosen = codes == code
            value = str(text.dictionary[int(code)])
            went_on = int((chosen & stayed).sum())
            yield Count(index, value, range_name, int(chosen.sum()), went_on)


def visible_counts(
    request: FunnelRequest, events: Events, steps: Sequence[Reached], range_name: str
) -> Iterator[Count]:
    """Rows of the visualization: per step the total and the next actions, or the dates."""
    for index, step in enumerate(steps):
        if request.is_trended:
            yield from _by_text(index, events, "date", step.events, range_name)
            continue
        yield Count(index, TOTAL, range_name, len(step.firsts))
        if request.next_action:
            following = steps[index + 1] if index + 1 < len(steps) else None
            places = next_places(events.users, step, following)
            yield from _by_text(index, events, "action", places, range_name)


def _by_text(
    index: int, events: Events, name: str, places: Places, range_name: str
) -> Iterator[Count]:
    """Distinct users per text of the chosen events."""
    text = events.texts[name]
    codes = text.indices.to_numpy()[places]
    for code in np.unique(codes):
        users = distinct_users(events.users, places[codes == code])
        yield Count(index, str(text.dictionary[int(code)]), range_name, users)
