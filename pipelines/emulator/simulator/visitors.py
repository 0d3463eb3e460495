"""Who visits: the pool of known browsers and the sessions of one day drawn from it.

What a session *does* is decided in plan.py. Segments are constant within a session; device,
country and browser are constant within a visitor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from pipelines.emulator.simulator.columns import Ints, concat, take
from pipelines.emulator.simulator.localtime import (
    DAY_US,
    HOUR_US,
    SECOND_US,
    LocalDay,
    draw_start_times,
)
from pipelines.emulator.simulator.shop import (
    CHANNELS,
    CLIENTS,
    COUNTRIES,
    DEVICES,
    RETURNING_SHARE,
    VISITORS,
)

# The pool keeps the newest visitors only, so that memory does not grow with the days.
_POOL_DAYS = 20
_HISTORY_DAYS = 8
# A visitor's next session starts at least this long before the day does: no overlaps.
_REST_US = 4 * HOUR_US
_RETURN_DECAY_DAYS = 14.0

_CLIENT_WEIGHTS = np.array([client.weight for client in CLIENTS])
_CLIENT_DEVICE = np.array([DEVICES.index(client.category) for client in CLIENTS])
_COUNTRY_WEIGHTS = np.array([country.weight for country in COUNTRIES])
_NEW_CHANNELS = np.array([channel.new_weight for channel in CHANNELS])
_RETURNING_CHANNELS = np.array([channel.returning_weight for channel in CHANNELS])

SEGMENT_VALUES: dict[str, tuple[str, ...]] = {
    "all": ("all",),
    "device": DEVICES,
    "channel": tuple(channel.name for channel in CHANNELS),
    "country": tuple(country.name for country in COUNTRIES),
    "visitor": VISITORS,
}


@dataclass(frozen=True)
class Visitors:
    """Known browsers, oldest first. Shape of every field: (visitors,)."""

    client_id: Ints
    first_touch_us: Ints
    first_channel: Ints
    client: Ints
    country: Ints
    sessions: Ints
    last_start_us: Ints


@dataclass(frozen=True)
class Sessions:
    """Sessions of a day. Shape of every field: (sessions,); codes index the tables of shop.py."""

    client_id: Ints
    first_touch_us: Ints
    first_channel: Ints
    client: Ints
    country: Ints
    channel: Ints
    number: Ints
    start_us: Ints

    def __len__(self) -> int:
        return len(self.start_us)

    def segment_codes(self, segment_name: str) -> Ints:
        """Code of each session in `SEGMENT_VALUES[segment_name]`; KeyError for another name."""
        return {
            "all": np.zeros(len(self), dtype=np.int64),
            "device": _CLIENT_DEVICE[self.client],
            "channel": self.channel,
            "country": self.country,
            "visitor": (self.number > 1).astype(np.int64),
        }[segment_name]


def _codes(rng: np.random.Generator, weights: NDArray[np.float64], count: int) -> Ints:
    return rng.choice(len(weights), size=count, p=weights / weights.sum())


def _new_visitors(rng: np.random.Generator, first_touch_us: Ints) -> Visitors:
    count = len(first_touch_us)
    return Visitors(
        client_id=rng.integers(10**8, 2 * 10**9, size=count),
        first_touch_us=first_touch_us,
        first_channel=_codes(rng, _NEW_CHANNELS, count),
        client=_codes(rng, _CLIENT_WEIGHTS, count),
        country=_codes(rng, _COUNTRY_WEIGHTS, count),
        sessions=np.ones(count, dtype=np.int64),
        last_start_us=first_touch_us,
    )


def earlier_visitors(rng: np.random.Generator, day: LocalDay, sessions_per_day: int) -> Visitors:
    """The visitors a running shop already has when the simulation begins."""
    count = _HISTORY_DAYS * sessions_per_day
    touched = day.start_us - rng.integers(DAY_US, 60 * DAY_US, size=count)
    pool = _new_visitors(rng, np.sort(touched))
    seen = pool.first_touch_us + (
        rng.random(count) * (day.start_us - DAY_US - pool.first_touch_us)
    ).astype(np.int64)
    numbers = rng.geometric(0.6, size=count)
    last = np.where(numbers > 1, seen, pool.first_touch_us)
    return replace(pool, sessions=numbers, last_start_us=last)


def draw_sessions(
    rng: np.random.Generator, day: LocalDay, pool: Visitors, sessions_per_day: int, count: int
) -> tuple[Sessions, Visitors]:
    """`count` sessions that start on `day`, and the pool as it is afterwards.

    A visitor has at most one session a day; one who was here late last night rests.
    """
    back = _returning_rows(rng, day, pool, count)
    start_us = draw_start_times(rng, day, count)
    returning = take(pool, back)
    fresh = _new_visitors(rng, start_us[len(back) :])
    people = concat(returning, fresh)
    numbers = np.concatenate([returning.sessions + 1, fresh.sessions])
    channel = np.concatenate(
        [_codes(rng, _RETURNING_CHANNELS, len(back)), fresh.first_channel],
    )
    sessions = Sessions(
        people.client_id,
        people.first_touch_us,
        people.first_channel,
        people.client,
        people.country,
        channel,
        numbers,
        start_us,
    )
    seen = pool.last_start_us.copy()
    counted = pool.sessions.copy()
    seen[back] = start_us[: len(back)]
    counted[back] += 1
    merged = concat(replace(pool, sessions=counted, last_start_us=seen), fresh)
    newest = slice(-_POOL_DAYS * sessions_per_day, None)
    return sessions, take(merged, newest)


def _returning_rows(rng: np.random.Generator, day: LocalDay, pool: Visitors, count: int) -> Ints:
    """Distinct pool rows that come back today; the more recent the last visit, the likelier."""
    rested = np.flatnonzero(pool.last_start_us < day.start_us - _REST_US)
    wanted = min(int(rng.binomial(count, RETURNING_SHARE)), len(rested))
    age_days = (day.start_us - pool.last_start_us[rested]) / DAY_US
    # The smallest of exponential clocks: weighted sampling without replacement.
    clocks = rng.exponential(size=len(rested)) * np.exp(age_days / _RETURN_DECAY_DAYS)
    return np.sort(rested[np.argsort(clocks, kind="stable")[:wanted]])


def user_numbers(sessions: Sessions) -> Ints:
    """One number a user: a browser is told by its random number and its first visit together."""
    return sessions.client_id * (1 << 32) + sessions.first_touch_us // SECOND_US


def session_ids(sessions: Sessions) -> Ints:
    """GA4's ga_session_id: the second the session began. Unique within a visitor."""
    return sessions.start_us // SECOND_US
