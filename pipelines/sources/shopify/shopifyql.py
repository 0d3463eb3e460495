"""The ShopifyQL that is sent, and nothing else is: no text of a user gets into it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.ingest.day_window import DayWindow

# A page. The server's own cap is not documented, so the sum of the pages is held against the
# ungrouped total.
PAGE = 1000
DAY, DEVICE = "day", "session_device_type"


@dataclass(frozen=True)
class Query:
    """Metrics of one table over days, both included; whole unless split `by` day (and device).

    `only`: dimension → the value that counts. Bots are left out by name, whatever the default is.
    """

    table: str
    metrics: tuple[str, ...]
    days: DayWindow
    by: tuple[str, ...] = ()
    only: tuple[tuple[str, str], ...] = ()
    offset: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that the answer has to have."""
        return (*self.by, *self.metrics)

    def split(self, *by: str) -> Query:
        """The same by these dimensions."""
        return replace(self, by=by)

    def page(self, number: int) -> Query:
        """The same from a later row on."""
        return replace(self, offset=number * PAGE)

    def __str__(self) -> str:
        """The text. A series has every day, also one without a session; groups have not."""
        where = " AND ".join(f"{name} = {_quoted(value)}" for name, value in self.only)
        is_series = self.by == (DAY,)
        clauses: Sequence[tuple[str, str]] = (
            ("FROM", self.table),
            ("SHOW", ", ".join(self.metrics)),
            ("WHERE", where),
            ("TIMESERIES", DAY if is_series else ""),
            ("GROUP BY", "" if is_series else ", ".join(self.by)),
            ("SINCE", f"{self.days.start}"),
            ("UNTIL", f"{self.days.end}"),
            ("ORDER BY", ", ".join(f"{name} ASC" for name in self.by)),
            ("LIMIT", f"{PAGE}" if self.by else ""),
            ("OFFSET", f"{self.offset}" if self.offset else ""),
        )
        return " ".join(f"{word} {text}" for word, text in clauses if text)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
