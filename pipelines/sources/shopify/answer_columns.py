"""From what ShopifyQL answers to typed columns. What is missing is never 0."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from pipelines.sources.contract import SourceError

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?=$|T| )")
_COUNT = re.compile(r"(\d{1,15})(\.0+)?")
MOST_COUNT = 10**15
MONEY_PLACES = Decimal("0.0001")
MOST_MONEY = Decimal(10) ** 13


def as_day(value: Any) -> date:
    """`2026-09-01`, also as the beginning of a longer stamp."""
    found = _DAY.match(value) if isinstance(value, str) else None
    try:
        return date.fromisoformat(found[0] if found else "")
    except ValueError:
        raise _unreadable("day", value) from None


def as_count(value: Any) -> int:
    """A whole number, as a number or as text."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= MOST_COUNT:
        return value
    found = _COUNT.fullmatch(str(value)) if isinstance(value, str | float) else None
    if found is None:
        raise _unreadable("count", value)
    return int(found[1])


def as_money(value: Any) -> Decimal:
    """An amount to four places, as a number or as text; returns can make it negative."""
    try:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise InvalidOperation
        amount = Decimal(str(value))
        if not amount.is_finite() or abs(amount) >= MOST_MONEY:
            raise InvalidOperation
        return amount.quantize(MONEY_PLACES)
    except InvalidOperation:
        raise _unreadable("amount of money", value) from None


def parts(value: Any) -> dict[str, Any]:
    """An object of an answer by its parts; without any where it is none."""
    return value if isinstance(value, dict) else {}


def _unreadable(kind: str, value: Any) -> SourceError:
    said = "nothing" if value is None else ascii(value)[:40]
    return SourceError(
        f"Shopify tells {said} where a {kind} belongs, which is not taken for 0: what was fetched "
        "before stays; run 'sluice doctor'."
    )
