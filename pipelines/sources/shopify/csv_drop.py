"""CSV files of Shopify's sessions report, as its admin exports them: from a file to typed rows.

Nobody publishes the format, so what cannot be read for certain is refused with what was found:
any of three separators, a BOM, quotes, totals rows and `%` are taken, other headings are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

from pipelines.config.csvfile import TOTALS, CsvFile
from pipelines.sources.contract import SourceError
from pipelines.sources.shopify.answer_columns import as_day
from pipelines.sources.shopify.tables import ALL_DEVICES, FUNNEL
from pipelines.wording import shown

MOST_BYTES = 20_000_000
DAY, DEVICE = "day", "device"
SESSIONS, *_, COMPLETED = FUNNEL
# Heading (of any case, with blanks or underscores) → field. The admin has to be in English, as no
# other language's headings are known for certain.
HEADINGS = {
    "day": DAY,
    "date": DAY,
    "device type": DEVICE,
    "session device type": DEVICE,
    "sessions": "sessions",
    "sessions with cart additions": "sessions_with_cart_additions",
    "added to cart": "sessions_with_cart_additions",
    "sessions that reached checkout": "sessions_that_reached_checkout",
    "reached checkout": "sessions_that_reached_checkout",
    "sessions that completed checkout": "sessions_that_completed_checkout",
    "sessions converted": "sessions_that_completed_checkout",
}
# Of a report without the number of sessions that completed the checkout.
RATE_HEADINGS = ("conversion rate", "sessions converted (%)")
OTHER_PERIODS = ("week", "month", "hour", "quarter", "year")
# What no shop converts: a rate of more is a column of something else.
MOST_CONVERTED = Decimal("0.2")
_COUNT = re.compile(r"\d{1,12}(\.0+)?")
# Thousands set apart, as no count has three decimals: also `1.000`, which is looked at first.
_GROUPED = re.compile(r"[1-9]\d{0,2}([.,\s]\d{3})+")
_RATE = re.compile(r"(\d{1,3}([.,]\d{1,10})?)\s*(%?)")


@dataclass(frozen=True)
class Drop:
    """The rows of a file: (day, device) → the four counts. `notes`: what was made of a rate."""

    path: Path
    rows: Mapping[tuple[date, str], tuple[int, ...]]
    notes: tuple[str, ...] = ()


def read_drop(path: Path) -> Drop:
    """One file; SourceError names its line, or the headings that it has."""
    return _Report(CsvFile(path, MOST_BYTES, SourceError)).drop()


class _Report:
    """Headings and the lines below them, as text."""

    def __init__(self, file: CsvFile) -> None:
        self.path, self._wrong = file.path, file.wrong
        self.headings = file.headings
        self.names = [_name(heading) for heading in self.headings]
        self.places = self._places()
        file.refuse_short()
        listed = zip(file.cells.index, file.cells.to_numpy().tolist(), strict=True)
        self.lines = [
            (number, cells)
            for number, cells in listed
            if cells[self.places[DAY]].casefold() not in ("", *TOTALS)
        ]
        self.notes: list[str] = []

    def drop(self) -> Drop:
        """All rows; a row that is there twice is one."""
        days = [self._day(number, cells) for number, cells in self.lines]
        devices = self._devices()
        sessions = self._counts(SESSIONS, [1] * len(days))
        columns = [sessions, *(self._counts(name, sessions) for name in FUNNEL[1:])]
        rows: dict[tuple[date, str], tuple[int, ...]] = {}
        for (number, _), day, device, *counts in zip(
            self.lines, days, devices, *columns, strict=True
        ):
            if max(counts) > counts[0]:
                raise self._wrong(number, f"a step has {max(counts):,} of {counts[0]:,} sessions")
            if rows.setdefault((day, device), tuple(counts)) != tuple(counts):
                others = [
                    shown(heading)
                    for place, heading in enumerate(self.headings)
                    if place not in self.places.values()
                ]
                raise self._wrong(
                    number,
                    f"{day} is there twice with other numbers: export it by day, or by day and "
                    f"device type, and by nothing else (it has {', '.join(others) or 'no more'})",
                )
        return Drop(self.path, rows, tuple(self.notes))

    def _places(self) -> dict[str, int]:
        """Field → its column."""
        places: dict[str, int] = {}
        for place, name in enumerate(self.names):
            field = HEADINGS.get(name)
            if field in places:
                raise self._refused(f"two columns are {field}")
            if field:
                places[field] = place
        if COMPLETED not in places:
            rate = next((name for name in RATE_HEADINGS if name in self.names), None)
            if rate:
                places[COMPLETED] = self.names.index(rate)
        if DAY not in places:
            other = next((name for name in OTHER_PERIODS if name in self.names), None)
            why = f"it is by {other}: export it by day" if other else "no column is the day"
            raise self._refused(why)
        if lacking := [name for name in FUNNEL if name not in places]:
            raise self._refused(f"no column is {lacking[0].replace('_', ' ')}")
        return places

    def _day(self, number: int, cells: Sequence[str]) -> date:
        cell = cells[self.places[DAY]]
        try:
            return as_day(cell)
        except SourceError:
            raise self._wrong(number, f"the day is {shown(cell)}: write YYYY-MM-DD") from None

    def _devices(self) -> list[str]:
        place = self.places.get(DEVICE)
        if place is None:
            return [ALL_DEVICES] * len(self.lines)
        return [cells[place].casefold() or "unknown" for _, cells in self.lines]

    def _counts(self, name: str, sessions: Sequence[int]) -> list[int]:
        """A column of counts; or of shares of the sessions, whose counts are these rounded."""
        place, words = self.places[name], name.replace("_", " ")
        cells = [(number, row[place]) for number, row in self.lines]
        counts = [_count(cell) for _, cell in cells]
        if None not in counts and self.names[place] not in RATE_HEADINGS:
            return [count for count in counts if count is not None]
        if name == SESSIONS:
            number, cell = cells[counts.index(None)]
            raise self._wrong(number, f"{words} is {shown(cell)}, which is no count")
        self.notes.append(
            f"{self.path.name} tells of {words} only the share of the sessions: the number is that "
            "share, rounded to whole sessions."
        )
        shares = self._shares(name, cells, sessions)
        return [
            int((share * of).to_integral_value())
            for share, of in zip(shares, sessions, strict=True)
        ]

    def _shares(
        self, name: str, cells: Sequence[tuple[int, str]], sessions: Sequence[int]
    ) -> list[Decimal]:
        """As fractions; where one is above 1, or has a `%`, all are taken for percentages."""
        words, found, is_percent = name.replace("_", " "), list[Decimal](), False
        for (number, cell), of in zip(cells, sessions, strict=True):
            # Of nobody there is no share.
            match = _RATE.fullmatch(cell or ("0" if of == 0 else ""))
            if match is None:
                raise self._wrong(number, f"{words} is {shown(cell)}, which is no number")
            found.append(Decimal(match[1].replace(",", ".")))
            is_percent = is_percent or bool(match[3]) or found[-1] > 1
        shares = [value / 100 if is_percent else value for value in found]
        most = MOST_CONVERTED if name == COMPLETED else Decimal(1)
        for (number, cell), share in zip(cells, shares, strict=True):
            if share > most:
                raise self._wrong(
                    number, f"{words} is {shown(cell)}, which would be {share:.0%} of the sessions"
                )
        return shares

    def _refused(self, why: str) -> SourceError:
        found = ", ".join(shown(name) for name in self.headings[:20])
        return SourceError(
            f"{self.path} is no report that can be read: {why}. Its headings are {found}. Export "
            "the sessions report by day in English with the columns Day, Sessions, Sessions with "
            "cart additions, Sessions that reached checkout and Sessions that completed checkout."
        )


def _name(heading: str) -> str:
    return " ".join(heading.casefold().replace("_", " ").split())


def _count(cell: str) -> int | None:
    if _GROUPED.fullmatch(cell):
        return int(re.sub(r"\D", "", cell))
    return int(cell.partition(".")[0]) if _COUNT.fullmatch(cell) else None


def join_drops(
    drops: Iterable[Drop], is_complete: Callable[[Path, date], bool]
) -> dict[tuple[date, str], tuple[tuple[int, ...], bool]]:
    """(day, device) → counts, and whether the day was over; of files, the later one counts.

    What an earlier one has of the same day (its devices, or all of them) stays as long as the
    devices add up to the later one's sessions. Where no file has a day of all devices, it is the
    sum of its devices: a session has one.
    """
    found: dict[date, tuple[dict[str, tuple[int, ...]], bool]] = {}
    for drop in drops:
        days: dict[date, dict[str, tuple[int, ...]]] = {}
        for (day, device), counts in drop.rows.items():
            days.setdefault(day, {})[device] = counts
        for day, own in days.items():
            both = {**found.get(day, ({}, False))[0], **own}
            found[day] = both if _add_up(both) else own, is_complete(drop.path, day)
    return {
        (day, device): (counts, is_over)
        for day, (own, is_over) in found.items()
        for device, counts in ({ALL_DEVICES: _sums(own)} | own).items()
    }


def _sums(own: Mapping[str, tuple[int, ...]]) -> tuple[int, ...]:
    parts = [counts for device, counts in own.items() if device != ALL_DEVICES]
    return tuple(map(sum, zip(*parts, strict=True)))


def _add_up(own: Mapping[str, tuple[int, ...]]) -> bool:
    sums = _sums(own)
    return not sums or ALL_DEVICES not in own or sums[0] == own[ALL_DEVICES][0]
