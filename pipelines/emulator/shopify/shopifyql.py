"""The part of ShopifyQL that a nightly client may use, answered from rows.

As the real one: without ORDER BY rows come in any order, a table of more rows than LIMIT is cut
silently, TIMESERIES has every day and GROUP BY only those with rows, values are texts.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

MOST_ROWS = 1000
DEFAULT_ROWS = 100
_WORDS = (
    "FROM", "SHOW", "WHERE", "TIMESERIES", "GROUP BY", "SINCE", "UNTIL", "ORDER BY", "LIMIT",
    "OFFSET",
)  # fmt: skip
_CLAUSE = re.compile(rf"\b({'|'.join(_WORDS)})\b", re.IGNORECASE)
_CONDITION = re.compile(r"(\w+)\s*=\s*'((?:[^']|'')*)'")
_MONEY = ("net_sales", "total_sales")
_RATES = {
    "conversion_rate": ("sessions_that_completed_checkout", "sessions"),
    "added_to_cart_rate": ("sessions_with_cart_additions", "sessions"),
}
Row = Mapping[str, Any]


class ParseError(Exception):
    """What stands in `parseErrors`."""


@dataclass(frozen=True)
class Table:
    """Columns (name, dataType, displayName) and rows as objects."""

    columns: list[dict[str, str]]
    rows: list[dict[str, Any]]


def answer(text: str, tables: Mapping[str, Sequence[Row]], draw: random.Random) -> Table:
    """The answer to a query; raises ParseError."""
    clauses = _clauses(text)
    name = clauses.get("FROM", "")
    if name not in tables:
        raise ParseError(f"Invalid dataset in FROM clause: '{name}'")
    rows = tables[name]
    known = set(rows[0]) if rows else set()
    metrics = _names(clauses.get("SHOW", ""))
    series = _names(clauses.get("TIMESERIES", ""))
    by = _names(clauses.get("GROUP BY", "")) or series
    conditions = _conditions(clauses.get("WHERE", ""))
    for column in (*metrics, *by, *conditions):
        if column not in known and column not in _RATES:
            raise ParseError(f"Column Not Found: Column '{column}' not found")
    first, last = _day(clauses, "SINCE"), _day(clauses, "UNTIL")
    chosen = [
        row
        for row in rows
        if first <= row["day"] <= last
        and all(str(row[column]) == value for column, value in conditions.items())
    ]
    groups: dict[tuple[Any, ...], list[Row]] = {}
    if series:
        days = (last - first).days + 1
        groups = {(first + timedelta(days=number),): [] for number in range(days)}
    elif not by:
        groups = {(): []}
    for row in chosen:
        groups.setdefault(tuple(row[column] for column in by), []).append(row)
    found = [
        {**dict(zip(by, key, strict=True)), **{one: _sum(one, part) for one in metrics}}
        for key, part in groups.items()
    ]
    return Table(
        [_column(one) for one in (*by, *metrics)],
        [
            {column: _text(value) for column, value in row.items()}
            for row in _cut(_ordered(found, clauses.get("ORDER BY", ""), draw), clauses)
        ],
    )


def _clauses(text: str) -> dict[str, str]:
    pieces = _CLAUSE.split(text.strip())
    if pieces[0].strip():
        raise ParseError(f"Unexpected input '{pieces[0].strip()[:40]}'")
    found = {
        word.upper(): body.strip() for word, body in zip(pieces[1::2], pieces[2::2], strict=True)
    }
    for word in ("FROM", "SHOW", "SINCE", "UNTIL"):
        if not found.get(word):
            raise ParseError(f"Missing clause {word}")
    return found


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _conditions(text: str) -> dict[str, str]:
    rest = _CONDITION.sub("", text)
    if rest.replace("AND", "").strip():
        raise ParseError(f"Unexpected input '{rest.strip()[:40]}'")
    return {name: value.replace("''", "'") for name, value in _CONDITION.findall(text)}


def _day(clauses: Mapping[str, str], word: str) -> date:
    try:
        return date.fromisoformat(clauses[word])
    except ValueError:
        raise ParseError(f"Invalid date in {word}: '{clauses[word]}'") from None


def _sum(metric: str, rows: Sequence[Row]) -> Any:
    if metric in _RATES:
        above, below = (sum(row[name] for row in rows) for name in _RATES[metric])
        return above / below if below else None
    total = sum(row[metric] for row in rows)
    return f"{total:.2f}" if metric in _MONEY else total


def _ordered(rows: list[dict[str, Any]], order: str, draw: random.Random) -> list[dict[str, Any]]:
    draw.shuffle(rows)
    for part in reversed(_names(order)):
        name, _, direction = part.partition(" ")
        if rows and name not in rows[0]:
            raise ParseError(f"Column Not Found: Column '{name}' not found")
        rows.sort(key=lambda row: row[name], reverse=direction.strip().upper() == "DESC")
    return rows


def _cut(rows: list[dict[str, Any]], clauses: Mapping[str, str]) -> list[dict[str, Any]]:
    try:
        limit = min(int(clauses.get("LIMIT", DEFAULT_ROWS)), MOST_ROWS)
        offset = int(clauses.get("OFFSET", 0))
    except ValueError:
        raise ParseError("LIMIT and OFFSET take a number") from None
    return rows[offset : offset + limit]


def _column(name: str) -> dict[str, str]:
    kind = "INTEGER"
    if name == "day":
        kind = "DAY_TIMESTAMP"
    elif name in _RATES:
        kind = "PERCENT"
    elif name in _MONEY:
        kind = "MONEY"
    elif name in {"session_device_type", "sales_channel", "human_or_bot_session"}:
        kind = "STRING"
    words = name.replace("_", " ")
    return {"name": name, "dataType": kind, "displayName": words[:1].upper() + words[1:]}


def _text(value: Any) -> Any:
    return None if value is None else str(value)
