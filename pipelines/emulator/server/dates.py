"""Date ranges of a request, read in the property's time zone. No database, no clock of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.emulator.server.errors import invalid_argument

MAX_DATE_RANGES = 4
# The service's own bounds, both exclusive.
_EARLIEST, _LATEST = date(2015, 8, 13), date(3000, 1, 1)
_DAYS_AGO = re.compile(r"(\d{1,6})daysAgo")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class DateRange:
    """Whole days, both included; `name` is the value of the dimension `dateRange`."""

    name: str
    start: date
    end: date

    @property
    def days(self) -> int:
        """Number of days."""
        return (self.end - self.start).days + 1


def local_today(now: datetime, zone: ZoneInfo) -> date:
    """Today's date where the property is."""
    return now.astimezone(zone).date()


def read_date_ranges(ranges: Sequence[Any], today: date) -> tuple[DateRange, ...]:
    """The `date_ranges` of a request; ApiError in Google's words when one cannot be used."""
    if not ranges:
        raise invalid_argument("A dateRange is required.")
    if len(ranges) > MAX_DATE_RANGES:
        raise invalid_argument(
            f"Requests are limited to {MAX_DATE_RANGES} dateRanges.\n"
            f"  This request contains {len(ranges)} dateRanges."
        )
    return tuple(_read(one, index, today) for index, one in enumerate(ranges))


def _read(one: Any, index: int, today: date) -> DateRange:
    start = _read_date("startDate", one.start_date, today)
    end = _read_date("endDate", one.end_date, today)
    for field, value in (("start_date", start), ("end_date", end)):
        if not _EARLIEST < value < _LATEST:
            raise invalid_argument(
                f"{field} = {value} must be greater than {_EARLIEST} and less than {_LATEST}."
            )
    if start > end:
        raise invalid_argument(
            "start_date must be less than or equal to end_date. "
            f"start_date = {start} and end_date = {end}"
        )
    if one.name.startswith(("date_range_", "RESERVED_")):
        raise invalid_argument(
            f"Invalid dateRange name : {one.name}. "
            "dateRange names cannot begin with date_range_ or RESERVED_."
        )
    return DateRange(one.name or f"date_range_{index}", start, end)


def _read_date(field: str, text: str, today: date) -> date:
    try:
        if text in {"today", "yesterday"}:
            return today - timedelta(days=text == "yesterday")
        if days_ago := _DAYS_AGO.fullmatch(text):
            return today - timedelta(days=int(days_ago[1]))
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
    except (ValueError, OverflowError):
        pass  # 30 February, or more days ago than there are: the sentence below says it
    raise invalid_argument(
        f"Invalid {field} : {text}. {field} must be YYYY-MM-DD, NdaysAgo, yesterday, or today."
    )
