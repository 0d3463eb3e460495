"""The property's calendar: where a local day begins and ends in UTC, and how busy it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipelines.emulator.simulator.shop import (
    HOUR_WEIGHTS,
    MONTH_FACTORS,
    TIME_ZONE,
    WEEKDAY_FACTORS,
)

SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US
DAY_US = 24 * HOUR_US
_ZONE = ZoneInfo(TIME_ZONE)


@dataclass(frozen=True)
class LocalDay:
    """One property-local date as a half-open UTC interval in microseconds (23, 24 or 25 hours)."""

    day: date
    start_us: int
    end_us: int


def local_day(day: date) -> LocalDay:
    """Bounds of a local date; a day on which the clocks change is shorter or longer."""
    return LocalDay(day, _midnight_us(day), _midnight_us(day + timedelta(days=1)))


def _midnight_us(day: date) -> int:
    local = datetime(day.year, day.month, day.day, tzinfo=_ZONE)
    return int(local.timestamp()) * SECOND_US


def expected_sessions(day: date, sessions_per_day: int) -> float:
    """Mean sessions of a date: yearly season (interpolated between mid-months) x weekday."""
    position = (day.month - 1) + (day.day - 15) / 30.0
    season = np.interp(position, np.arange(12), MONTH_FACTORS, period=12)
    return float(sessions_per_day * season * WEEKDAY_FACTORS[day.weekday()])


def draw_start_times(rng: np.random.Generator, day: LocalDay, count: int) -> NDArray[np.int64]:
    """`count` start times (µs UTC) that follow the local hours: the missing hour of a spring day
    gets no visits, the repeated hour of an autumn day gets them twice.
    """
    hours = np.arange(day.start_us, day.end_us, HOUR_US)
    local = [datetime.fromtimestamp(us / SECOND_US, UTC).astimezone(_ZONE).hour for us in hours]
    weights = np.array(HOUR_WEIGHTS)[local]
    chosen = rng.choice(hours, size=count, p=weights / weights.sum())
    return chosen + rng.integers(0, HOUR_US, size=count)
