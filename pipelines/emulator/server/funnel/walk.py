"""Users on their way through steps: arrays in, arrays out. No SQL, no protobuf.

Events come sorted by user and time. A step is reached by an event that matches it and comes after
an event that reached the step before: right after it where the step must directly follow, and not
later than `within` µs. An open funnel may be entered at any step.

90 days of a closed five-step funnel, one day at a time, take a second this way; a window function
per step sorts the same events once per step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Rule:
    """How a step must follow the one before."""

    is_direct: bool = False
    within: int | None = None


@dataclass(frozen=True)
class Reached:
    """One step: places of events, ascending.

    `events` reach the step; `firsts` are those by which each user reached it first; `linked`
    reach it by way of the step before (in a closed funnel the same as `events`).
    """

    events: Places
    firsts: Places
    linked: Flags


def walk(
    users: Places, moments: Places, matches: Sequence[Flags], rules: Sequence[Rule], is_open: bool
) -> list[Reached]:
    """Every step with the events that reach it.

    `users` and `moments` (µs) describe events sorted by both; `matches` holds one flag per event
    for every step. The first step's rule means nothing.
    """
    starts = _starts(users)
    steps = [_reached(users, matches[0], matches[0])]
    reached = matches[0]
    for match, rule in zip(matches[1:], rules[1:], strict=True):
        before = _last_before(reached, starts)
        linked = match & (before >= 0)
        if rule.is_direct:
            linked &= before == np.arange(len(users)) - 1
        if rule.within is not None:
            linked &= moments - moments[before] <= rule.within
        reached = match if is_open else linked
        steps.append(_reached(users, reached, linked))
    return steps


def distinct_users(users: Places, places: Places | Flags) -> int:
    """How many users the chosen events belong to; events are sorted by user."""
    chosen = users[places]
    return int(np.count_nonzero(chosen[1:] != chosen[:-1])) + bool(len(chosen))


def next_places(users: Places, step: Reached, following: Reached | None) -> Places:
    """For users of a step: the event right after the one that brought them there.

    Left out are users without another event, and those whose next event already is the next step
    ("before the same user has achieved the next step").
    """
    after = step.firsts + 1
    inside = after < len(users)
    here, after = step.firsts[inside], after[inside]
    kept = users[after] == users[here]
    if following is not None:
        kept &= ~following.linked[after]
    chosen: Places = after[kept]
    return chosen


def entries(users: Places, steps: Sequence[Reached]) -> Places:
    """For every event the place at which its user entered the funnel, or -1."""
    firsts = np.unique(np.concatenate([step.firsts for step in steps]))
    place_of = np.full(int(users[-1]) + 1 if len(users) else 0, -1, dtype=np.int64)
    # Written from the last to the first: a user's earliest place stays.
    place_of[users[firsts][::-1]] = firsts[::-1]
    found: Places = place_of[users]
    return found


def _reached(users: Places, reached: Flags, linked: Flags) -> Reached:
    events = np.flatnonzero(reached)
    owners = users[events]
    is_first = np.ones(len(events), dtype=bool)
    is_first[1:] = owners[1:] != owners[:-1]
    return Reached(events, events[is_first], linked)


def _starts(users: Places) -> Places:
    """For every event the place of its user's first."""
    changed = np.ones(len(users), dtype=bool)
    changed[1:] = users[1:] != users[:-1]
    starts: Places = np.maximum.accumulate(np.where(changed, np.arange(len(users)), 0))
    return starts


def _last_before(reached: Flags, starts: Places) -> Places:
    """For every event the place of the latest reached one strictly before it, same user; or -1."""
    last: Any = np.maximum.accumulate(np.where(reached, np.arange(len(reached)), -1))
    before = np.concatenate(([-1], last[:-1]))[: len(reached)]
    found: Places = np.where(before >= starts, before, -1)
    return found
