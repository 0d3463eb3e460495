"""What really happened on which page and in which list, counted as in truth.py.

Independent on purpose, for the same reason: the simulator's own arrays, and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np

from pipelines.emulator.simulator.catalogue import CATEGORIES, CATEGORY_OF_ITEM, PAGES
from pipelines.emulator.simulator.columns import Bools, Ints, distinct
from pipelines.emulator.simulator.events import CODES, Batch
from pipelines.emulator.simulator.shop import HOST
from pipelines.emulator.simulator.truth import KEYS, Row, Tables, key_rows

# engagement_seconds: the time that events on the page report. scroll_sessions: GA4's own scroll.
_PAGE_COLUMNS = (
    "date", "page_path", "views", "sessions", "engaged_sessions", "engagement_seconds",
    "scroll_sessions",
)  # fmt: skip
_KEY_COLUMNS = ("date", "page_path", "key", "events", "sessions")
_LIST_COLUMNS = ("date", "item_list_name", "items_viewed", "items_clicked")
_PATHS = tuple(page.location.removeprefix(HOST) for page in PAGES)


@dataclass(frozen=True)
class PageTruth(Tables):
    """Rows of the three long tables, in the order of the column tuples above."""

    pages: list[Row] = field(default_factory=list)
    page_keys: list[Row] = field(default_factory=list)
    lists: list[Row] = field(default_factory=list)

    def tables(self) -> dict[str, object]:
        """As truth.json has them."""
        return {
            "pages": {"columns": _PAGE_COLUMNS, "rows": self.pages},
            "page_keys": {"columns": _KEY_COLUMNS, "rows": self.page_keys},
            "lists": {"columns": _LIST_COLUMNS, "rows": self.lists},
        }


def count_pages(day: date, batch: Batch) -> PageTruth:
    """The truth of one date: `batch` holds every event of that local date and no other."""
    return PageTruth(_page_rows(day, batch), _page_key_rows(day, batch), _list_rows(day, batch))


def _tally(codes: Ints, size: int) -> list[int]:
    counts: list[int] = np.bincount(codes, minlength=size).tolist()
    return counts


def _sessions(batch: Batch, codes: Ints, session: Ints, size: int) -> list[int]:
    """Distinct sessions of each code; `codes` and `session` are equally long."""
    pairs = distinct(session * size + codes, len(batch.sessions) * size)
    return _tally(pairs % size, size)


def _page_rows(day: date, batch: Batch) -> list[Row]:
    """A row for each page that had an event at all."""
    events = batch.events

    def reached(chosen: Bools) -> list[int]:
        return _sessions(batch, events.page[chosen], events.session[chosen], len(PAGES))

    views = _tally(events.page[events.code == CODES["page_view"]], len(PAGES))
    milliseconds = np.zeros(len(PAGES), dtype=np.int64)
    timed = events.engagement_ms > 0
    np.add.at(milliseconds, events.page[timed], events.engagement_ms[timed])
    sessions = reached(np.ones(len(events), dtype=np.bool_))
    engaged, scrolled = reached(events.is_engaged), reached(events.code == CODES["scroll"])
    return [
        [
            day.isoformat(),
            path,
            views[page],
            sessions[page],
            engaged[page],
            int(milliseconds[page]) / 1000,
            scrolled[page],
        ]
        for page, path in enumerate(_PATHS)
        if sessions[page]
    ]


def _page_key_rows(day: date, batch: Batch) -> list[Row]:
    """A row for each page and key that occurred on it."""
    rows, keys = key_rows(batch)
    size = len(PAGES) * len(KEYS)
    cell = batch.events.page[rows] * len(KEYS) + keys
    events = _tally(cell, size)
    sessions = _sessions(batch, cell, batch.events.session[rows], size)
    return [
        [day.isoformat(), _PATHS[at // len(KEYS)], KEYS[at % len(KEYS)], events[at], sessions[at]]
        for at in np.flatnonzero(events).tolist()
    ]


def _list_rows(day: date, batch: Batch) -> list[Row]:
    """Units seen and clicked in each list; a list is named after its category."""
    owner, line = batch.line_rows()
    code, units = batch.events.code[owner], batch.lines.units()[line]
    category = CATEGORY_OF_ITEM[batch.lines.item[line]]

    def total(name: str) -> Sequence[int]:
        hit = code == CODES[name]
        counts = np.zeros(len(CATEGORIES), dtype=np.int64)
        np.add.at(counts, category[hit], units[hit])
        found: list[int] = counts.tolist()
        return found

    viewed, clicked = total("view_item_list"), total("select_item")
    return [
        [day.isoformat(), name, viewed[at], clicked[at]]
        for at, name in enumerate(CATEGORIES)
        if viewed[at] or clicked[at]
    ]
