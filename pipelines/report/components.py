"""What a page is made of before it is HTML: sections, figures, tables and cards of plain text.

Everything here is text for people; the template escapes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Spec = dict[str, Any]


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
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A Vega-Lite chart with the text that says what it shows."""

    name: str
    title: str
    summary: str
    spec: Spec


@dataclass(frozen=True)
class Card:
    """A thing to read or do: its mark (never told by colour alone), heading and lines."""

    kind: str
    mark: str
    title: str
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Section:
    """A part of the page. `summary` says in words what figures and tables show."""

    name: str
    title: str
    summary: tuple[str, ...]
    figures: tuple[Figure, ...] = ()
    tables: tuple[Table, ...] = ()
    cards: tuple[Card, ...] = ()
    # Read by those who ask how, not by those who look.
    notes: tuple[str, ...] = ()


def columns(*names: str) -> tuple[Column, ...]:
    """Headings; those that begin with # are of numbers."""
    return tuple(Column(name.removeprefix("#"), name.startswith("#")) for name in names)
