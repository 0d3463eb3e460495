"""A window of days, and which days there are: GA4's first, the newest that is over in a zone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

# GA4 opened to everybody on 14 October 2020; no property has older days.
FIRST_DAY = date(2020, 10, 14)
RANGE_START_TAG = "dagster/asset_partition_range_start"
RANGE_END_TAG = "dagster/asset_partition_range_end"
PARTITION_TAG = "dagster/partition"


@dataclass(frozen=True)
class DayWindow:
    """Days of a run, both included."""

    start: date
    end: date

    def tags(self) -> dict[str, str]:
        """Run tags that give a single run this range of partitions."""
        return {RANGE_START_TAG: self.start.isoformat(), RANGE_END_TAG: self.end.isoformat()}

    def joined(self, other: DayWindow | None) -> DayWindow:
        """The window from the earlier start to the later end."""
        if other is None:
            return self
        return DayWindow(min(self.start, other.start), max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.start} to {self.end}"


def yesterday(zone: ZoneInfo, now: datetime) -> date:
    """The newest complete day in `zone`."""
    return now.astimezone(zone).date() - timedelta(days=1)


def nightly_window(last_day: date, lookback_days: int) -> DayWindow:
    """The newest day and the `lookback_days` before it, which GA4 may still change."""
    return DayWindow(max(FIRST_DAY, last_day - timedelta(days=lookback_days)), last_day)


def window_of_tags(tags: Mapping[str, str]) -> DayWindow | None:
    """The window of a run from its tags; None for a run without partitions.

    An unpartitioned asset in the same run reads it here too.
    """
    start = tags.get(RANGE_START_TAG) or tags.get(PARTITION_TAG)
    end = tags.get(RANGE_END_TAG) or tags.get(PARTITION_TAG)
    if not start or not end:
        return None
    return DayWindow(date.fromisoformat(start), date.fromisoformat(end))
