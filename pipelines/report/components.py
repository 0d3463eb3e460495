"""What a page is made of before it is HTML: figures, cards, lists and tables of plain text.

Everything here is text for people; the template escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.report.charts import BarMark, RateMark, Trend


@dataclass(frozen=True)
class Link:
    """A text that leads to where it can be read, if it can be."""

    text: str
    address: str | None


@dataclass(frozen=True)
class Column:
    """A column's heading; numbers stand to the right."""

    name: str
    is_number: bool = False


@dataclass(frozen=True)
class Table:
    """Formatted rows; the first cell of each is its heading."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str | Link, ...], ...]


def filled(*tables: Table) -> tuple[Table, ...]:
    """Those of the tables that have rows."""
    return tuple(table for table in tables if table.rows)


@dataclass(frozen=True)
class Rates:
    """Rates on one scale, which ends at `scale`."""

    title: str
    marks: tuple[RateMark, ...]
    scale: float


@dataclass(frozen=True)
class Bars:
    """Values as bars of one scale."""

    title: str
    marks: tuple[BarMark, ...]


@dataclass(frozen=True)
class Card:
    """A thing to read or do: its mark (never told by colour alone), heading and lines."""

    kind: str
    mark: str
    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """A part of what is one click away. `summary` says in words what its charts and tables show."""

    title: str
    summary: tuple[str, ...]
    rates: tuple[Rates, ...] = ()
    bars: tuple[Bars, ...] = ()
    tables: tuple[Table, ...] = ()
    cards: tuple[Card, ...] = ()
    # Read by those who ask how, not by those who look.
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Figure:
    """A figure of the first screen: its value, the change since the window before, 90 days."""

    label: str
    value: str
    change: str
    trend: Trend | None


@dataclass(frozen=True)
class Cause:
    """What is often behind such numbers, what speaks for it here, and what to do."""

    likely_cause: str
    evidence: str
    fix: str
    confirm_with: str | None


@dataclass(frozen=True)
class FindingCard:
    """One thing to put right. `rates`: name, rate and counts of the stretches before and after."""

    tag: str
    title: str
    trend: Trend | None
    legend: tuple[tuple[str, str], ...]
    rates: tuple[tuple[str, str, str], ...]
    worth: str
    lines: tuple[tuple[str, str | Link], ...]
    causes: tuple[Cause, ...]


@dataclass(frozen=True)
class FunnelRow:
    """A step of the funnel; empty texts where it has none. `share` is of all sessions, 0-1.

    `missing` says why there is no rate `of_before`, the step before.
    """

    label: str
    reached: str
    share: float | None
    of_all: str
    of_before: str
    missing: str
    benchmark: str
    verdict: str
    change: str
    trend: Trend | None
    # What other shops have, or the shop itself had in its best weeks.
    beside: Link | None


@dataclass(frozen=True)
class Box:
    """A short text, with items that each have a name and a number in words."""

    title: str
    summary: str
    items: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class WindowPart:
    """What the page says of the last 7, or 28, days."""

    days: int
    period: str
    figures: tuple[Figure, ...]
    funnel: tuple[FunnelRow, ...]
    ends: tuple[BarMark, ...]
    boxes: tuple[Box, ...]
    more: tuple[Section, ...]


def columns(*names: str) -> tuple[Column, ...]:
    """Headings; those that begin with # are of numbers."""
    return tuple(Column(name.removeprefix("#"), name.startswith("#")) for name in names)
