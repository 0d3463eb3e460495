"""Stretches of days that are asked for as a whole, since their users cannot be added up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pyarrow as pa


@dataclass(frozen=True)
class Period:
    """Whole days, both included; `name` is 1d, 7d, 28d, week or month."""

    name: str
    start: date
    end: date


def trailing(days: int, end: date) -> Period:
    """The last `days` days that end on `end`."""
    return Period(f"{days}d", end - timedelta(days=days - 1), end)


def newest_week(end: date) -> Period:
    """The newest ISO week (Monday to Sunday) that is over on `end`."""
    sunday = end - timedelta(days=end.isoweekday() % 7)
    return Period("week", sunday - timedelta(days=6), sunday)


def newest_month(end: date) -> Period:
    """The newest calendar month that is over on `end`."""
    is_last_day = (end + timedelta(days=1)).month != end.month
    last = end if is_last_day else end.replace(day=1) - timedelta(days=1)
    return Period("month", last.replace(day=1), last)


def days_between(start: date, end: date) -> list[date]:
    """Every day from `start` to `end`, both included."""
    return [start + timedelta(days=number) for number in range((end - start).days + 1)]


def each_day(start: date, end: date) -> tuple[Period, ...]:
    """Every day by itself, in order."""
    return tuple(trailing(1, day) for day in days_between(start, end))


def window_partitions(periods: Sequence[Period]) -> pa.Table:
    """`date` (a period's last day) and `window_name` of each period."""
    return pa.table(
        {
            "date": pa.array([period.end for period in periods], pa.date32()),
            "window_name": pa.array([period.name for period in periods], pa.string()),
        }
    )


def in_window(rows: pa.Table, period: Period) -> pa.Table:
    """The rows with `date`, `window_name` and `window_start` of their period in front."""
    size = rows.num_rows
    stamps = {
        "date": pa.repeat(pa.scalar(period.end, pa.date32()), size),
        "window_name": pa.repeat(period.name, size),
        "window_start": pa.repeat(pa.scalar(period.start, pa.date32()), size),
    }
    own = {name: rows[name] for name in rows.column_names if name not in stamps}
    return pa.table({**stamps, **own})
