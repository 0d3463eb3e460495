"""What our sentences share."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that is written most like `name`."""
    return difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.0)[0]


def counted(number: int, noun: str) -> str:
    """`1 day`, `2 days`, `1,200 days`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
