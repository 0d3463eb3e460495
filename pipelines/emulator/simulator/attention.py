"""What happens to event rows after they are emitted: repeats, engagement, order in time, and
purchases that the shop's server sends."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pipelines.emulator.simulator.columns import Ints, concat, take
from pipelines.emulator.simulator.events import (
    CODES,
    ONCE_PER_SESSION,
    WITHOUT_ENGAGEMENT_TIME,
    Events,
    code_table,
)
from pipelines.emulator.simulator.localtime import DAY_US, SECOND_US
from pipelines.emulator.simulator.pages import Pages
from pipelines.emulator.simulator.visitors import Sessions

_DOUBLED_SHARE = 0.004
_REPEATED_ORDER_SHARE = 0.01
_ENGAGED_AFTER_US = 10 * SECOND_US
# Share of the time between two events that the tab was in front, and GA4-like upper bound.
_ATTENTION_SHARE = 0.85
_ATTENTION_MAX_MS = 300_000
# Longer than any session, so that session x span + offset sorts by session, then time.
_SPAN_US = 2 * DAY_US


def with_repeats(rng: np.random.Generator, events: Events) -> Events:
    """Adds double clicks (0.4 % of the rows) and reloaded confirmation pages, which send the
    purchase of the same transaction_id once more (1 % of the orders).
    """
    chance = np.where(code_table(ONCE_PER_SESSION)[events.code], 0.0, _DOUBLED_SHARE)
    chance[events.code == CODES["purchase"]] = _REPEATED_ORDER_SHARE
    repeated = take(events, rng.random(len(events)) < chance)
    is_order = repeated.code == CODES["purchase"]
    seconds = np.where(
        is_order,
        rng.uniform(20, 600, size=len(repeated)),
        rng.uniform(0.2, 2.0, size=len(repeated)),
    )
    later = repeated.time_us + (seconds * SECOND_US).astype(np.int64)
    return concat(events, replace(repeated, time_us=later, is_repeat=is_order))


def with_attention(events: Events, sessions: Sessions, pages: Pages) -> Events:
    """The events sorted by session and time, with session_engaged and engagement time."""
    offset = events.time_us - sessions.start_us[events.session]
    events = take(events, np.argsort(events.session * _SPAN_US + offset, kind="stable"))
    elapsed_us = np.diff(events.time_us, prepend=events.time_us[:1])
    elapsed_us[np.diff(events.session, prepend=-1) != 0] = 0
    attention = (elapsed_us * _ATTENTION_SHARE / 1_000).astype(np.int64).clip(max=_ATTENTION_MAX_MS)
    untimed = code_table(WITHOUT_ENGAGEMENT_TIME)[events.code] | (attention == 0)
    return replace(
        events,
        is_engaged=events.time_us >= _engaged_from(sessions, pages)[events.session],
        engagement_ms=np.where(untimed, -1, attention),
    )


def from_server(rng: np.random.Generator, events: Events, share: float, count: int) -> Events:
    """The events with a share of the `count` sessions' purchases sent by the shop's server: once,
    without a session and what a browser says of it.
    """
    if not share:
        return events
    chosen = (rng.random(count) < share)[events.session] & (events.code == CODES["purchase"])
    sent = replace(
        events,
        is_sessionless=chosen,
        is_engaged=events.is_engaged & ~chosen,
        engagement_ms=np.where(chosen, -1, events.engagement_ms),
    )
    return take(sent, ~(chosen & sent.is_repeat))


def _engaged_from(sessions: Sessions, pages: Pages) -> Ints:
    """When each session counts as engaged: after 10 s or at its second page view."""
    after = sessions.start_us + _ENGAGED_AFTER_US
    second = np.flatnonzero(pages.is_first[:-1] & ~pages.is_first[1:]) + 1
    owner = pages.session[second]
    after[owner] = np.minimum(after[owner], pages.start_us[second])
    return after
