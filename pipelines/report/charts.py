"""Small charts without a library: a trend as paths of an SVG, and marks on one scale.

A chart is stretched to the width there is, its strokes are not; all of its words stand beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

# The viewBox of a trend.
WIDTH, HEIGHT = 100, 40
_HEADROOM = 1.06


@dataclass(frozen=True)
class Stretch:
    """A value that holds from `start` to `end`, both included; None where it is not known."""

    start: date
    end: date
    value: float | None


@dataclass(frozen=True)
class Trend:
    """Two lines of steps, `inside` and `outside`, as SVG paths; empty where nothing is known.

    `band` is (y, height), `mark` an x, all in the viewBox; `top` is the value at the upper edge.
    """

    inside: str
    outside: str
    band: tuple[float, float] | None
    mark: float | None
    top: float
    first: date
    last: date
    words: str


def trend_of(
    inside: Sequence[Stretch],
    words: str,
    *,
    outside: Sequence[Stretch] = (),
    band: tuple[float, float] | None = None,
    mark: date | None = None,
) -> Trend | None:
    """A chart from zero upwards; None where no value is known. `words` say what it shows."""
    known = [one.value for one in (*inside, *outside) if one.value is not None]
    if not known:
        return None
    first, last = inside[0].start, inside[-1].end
    days = (last - first).days + 1
    top = max(*known, *(band or (0, 0)), 0) * _HEADROOM or 1

    def x(day: date) -> float:
        return round((day - first).days / days * WIDTH, 2)

    def y(value: float) -> float:
        return round(HEIGHT * (1 - value / top), 2)

    def path(line: Sequence[Stretch]) -> str:
        parts, is_drawing = [], False
        for one in line:
            if one.value is not None:
                start = f"V{y(one.value)}" if is_drawing else f"M{x(one.start)} {y(one.value)}"
                parts.append(f"{start}H{round(x(one.end) + WIDTH / days, 2)}")
            is_drawing = one.value is not None
        return "".join(parts)

    return Trend(
        inside=path(inside),
        outside=path(outside),
        band=(y(band[1]), round(y(band[0]) - y(band[1]), 2)) if band else None,
        mark=x(mark) if mark and first <= mark <= last else None,
        top=top,
        first=first,
        last=last,
        words=words,
    )


@dataclass(frozen=True)
class RateMark:
    """A rate with its interval, the band it should lie in and the rate before; all 0-1.

    `text` is the rate in words, or why there is none; `verdict` with its sign, where it has one.
    """

    label: str
    text: str
    rate: float | None = None
    low: float | None = None
    high: float | None = None
    band_low: float | None = None
    band_high: float | None = None
    before: float | None = None
    verdict: str = ""


@dataclass(frozen=True)
class BarMark:
    """A value in words and as a share of the largest one, -1 to 1; None where it is not known."""

    label: str
    text: str
    share: float | None


def scale_of(marks: Sequence[RateMark]) -> float:
    """The rate at the right edge that all marks of a chart share."""
    known = [
        value
        for mark in marks
        for value in (mark.rate, mark.high, mark.band_high, mark.before)
        if value is not None
    ]
    return max(known, default=0) * _HEADROOM or 1


def bars(values: Sequence[tuple[str, str, float | None]]) -> tuple[BarMark, ...]:
    """(label, text, value) of each as bars of one scale."""
    largest = max((abs(value) for _, _, value in values if value is not None), default=0) or 1
    return tuple(
        BarMark(label, text, None if value is None else value / largest)
        for label, text, value in values
    )
