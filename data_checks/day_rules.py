"""What a failed warning of the raw gate means for the numbers of its report on that day.

The one table of it. What a pull itself tells (sampled, thresholded, restricted, truncated,
`(other)`, a later pull that was not loaded) is not here: the marts take that from `ops.pulls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class DayMark(StrEnum):
    """Why a day's numbers of a report are not complete; also their flag in the marts."""

    MISSING_ROWS = "missing_rows"
    LOW_VOLUME = "low_volume"


@dataclass(frozen=True)
class DayRule:
    """`mark`: what a failing day is marked with; None only warns. `reason`: why."""

    mark: DayMark | None
    reason: str


@dataclass(frozen=True)
class DayWarning:
    """A day on which an expectation failed, and what was observed there."""

    date: date
    observed: str


DAY_RULES: Mapping[str, DayRule] = {
    "parts_add_up_to_total": DayRule(
        DayMark.MISSING_ROWS, "the shop's total is larger: rows of the segment's report are missing"
    ),
    "total_holds_its_parts": DayRule(
        DayMark.MISSING_ROWS, "every segment adds up to more: the total itself lacks something"
    ),
    "volume_is_not_low": DayRule(
        DayMark.LOW_VOLUME, "rows may be missing, or the day was that weak: nobody can tell here"
    ),
    "volume_is_not_high": DayRule(None, "an unusual day; no number of it need be wrong"),
    "parts_stay_within_total": DayRule(
        None,
        "a session may be in two parts (new and returning), and each is an estimate of its own",
    ),
    "revenue_is_not_negative": DayRule(None, "refunds may outweigh the orders of a day"),
}
