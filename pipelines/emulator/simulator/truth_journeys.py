"""The truth about journeys: closed ordered funnels, payment methods, products over whole windows.

Independent on purpose, as truth.py is: counted from the simulator's own arrays, with a walk that is
not the emulator's (it keeps one time per visitor).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np

from pipelines.emulator.simulator.catalogue import PAGE_TYPE_OF_PAGE, PRODUCT
from pipelines.emulator.simulator.columns import Ints, concat, distinct, take
from pipelines.emulator.simulator.events import CODES, DETAIL_VALUES, EVENT_NAMES, Batch
from pipelines.emulator.simulator.truth import KEY_EVENTS, Row
from pipelines.emulator.simulator.visitors import SEGMENT_VALUES, user_numbers

CLOSED_COLUMNS = ("window_name", "date", "funnel", "device", "step", "key", "users")
PAYMENT_COLUMNS = ("date", "payment_type", "events", "sessions")
ITEM_WINDOW_COLUMNS = (
    "window_name", "window_start", "window_end", "item_id", "item_name", "items_viewed",
    "items_added_to_cart", "items_checked_out", "items_purchased", "item_revenue",
)  # fmt: skip

WINDOW_DAYS = 28
_HALF_WAY = 50
_CHECKOUT = ("checkout_start", "contact_done", "delivery_done", "payment_reached", "payment_method",
             "purchase")  # fmt: skip
_LIFTED = ("gallery", "size_guide", "read_more", "review_scroll", "video_play", "variant_select",
           "quantity_change", "product_scroll_50")  # fmt: skip
_BY_DAY: dict[str, tuple[str, ...]] = {
    "core": ("sessions", "product_view", "add_to_cart", "checkout_start", "purchase"),
    "extended": (
        "sessions", "list_view", "product_view", "add_to_cart", "cart_view", *_CHECKOUT,
    ),
    "checkout": _CHECKOUT,
    "view_to_add": ("product_view", "add_to_cart"),
}  # fmt: skip
_BY_WINDOW = {
    **_BY_DAY,
    **{f"lift_{key}": ("product_view", key, "add_to_cart") for key in _LIFTED},
}
_EVENTS = {**KEY_EVENTS, "sessions": ("session_start",), "product_scroll_50": ("scroll_depth",)}
# Key of a step -> the events that reach it. `product_scroll_50` also asks for page and depth.
_STEP_EVENTS = {key: _EVENTS[key] for keys in _BY_WINDOW.values() for key in keys}
_NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Moments:
    """Events that are a step of some funnel. Shape of every field: (events,)."""

    visitor: Ints
    step: Ints
    time_us: Ints
    device: Ints


@dataclass
class Journeys:
    """The rows so far, and the moments of the last `WINDOW_DAYS` dates, which one window needs."""

    closed: list[Row] = field(default_factory=list)
    payments: list[Row] = field(default_factory=list)
    missing_events: frozenset[str] = frozenset()
    _recent: list[Moments] = field(default_factory=list)

    def add_day(self, day: date, batch: Batch) -> None:
        """Counts one local date: `batch` holds every event of it and no other."""
        moments = _moments(batch)
        self._recent = [*self._recent[-WINDOW_DAYS + 1 :], moments]
        self.closed.extend(self._walk("1d", day, _BY_DAY, moments))
        self.payments.extend(_payment_rows(day, batch))

    def close(self, last_day: date) -> None:
        """Counts the window that ends on the last date."""
        joined = self._recent[0]
        for moments in self._recent[1:]:
            joined = concat(joined, moments)
        self.closed.extend(self._walk(f"{WINDOW_DAYS}d", last_day, _BY_WINDOW, joined))

    def tables(self, start: date, end: date, items: Sequence[Row]) -> dict[str, object]:
        """The tables of truth.json, by name; `items` are its daily item rows."""
        rows = {
            "closed_funnels": (CLOSED_COLUMNS, self.closed),
            "payment_types": (PAYMENT_COLUMNS, self.payments),
            "item_windows": (ITEM_WINDOW_COLUMNS, list(item_windows(start, end, items))),
        }
        return {name: {"columns": columns, "rows": own} for name, (columns, own) in rows.items()}

    def _walk(
        self, window_name: str, day: date, funnels: dict[str, tuple[str, ...]], moments: Moments
    ) -> Iterator[Row]:
        devices = SEGMENT_VALUES["device"]
        for funnel, keys in funnels.items():
            if funnel.startswith("lift_") and self.missing_events.issuperset(_STEP_EVENTS[keys[1]]):
                continue
            for number, (key, users) in enumerate(zip(keys, _closed(keys, moments), strict=True)):
                for device, count in zip(("all", *devices), users, strict=True):
                    yield [window_name, day.isoformat(), funnel, device, number, key, count]


def _moments(batch: Batch) -> Moments:
    events, sessions = batch.events, batch.sessions
    keys = list(_STEP_EVENTS)
    step_of_code = np.full(len(EVENT_NAMES), -1)
    for key, names in _STEP_EVENTS.items():
        step_of_code[[CODES[name] for name in names]] = keys.index(key)
    step = step_of_code[events.code]
    is_scroll = events.code == CODES["scroll_depth"]
    is_deep = (events.percent >= _HALF_WAY) & (PAGE_TYPE_OF_PAGE[events.page] == PRODUCT)
    step[is_scroll & ~is_deep] = -1
    every = Moments(
        visitor=user_numbers(sessions)[events.session],
        step=step,
        time_us=events.time_us,
        device=sessions.segment_codes("device")[events.session],
    )
    return take(every, step >= 0)


def _closed(keys: Sequence[str], moments: Moments) -> list[list[int]]:
    """Visitors who came to each step after the one before: in all, and by the device on which
    they entered. The earliest possible time at every step decides.
    """
    names = list(_STEP_EVENTS)
    people, visitor = np.unique(moments.visitor, return_inverse=True)
    reached = np.full(len(people), -1, dtype=np.int64)
    entered_on = np.full(len(people), -1)
    rows = []
    for number, key in enumerate(keys):
        hits = np.flatnonzero(moments.step == names.index(key))
        hits = hits[moments.time_us[hits] > reached[visitor[hits]]]
        soonest = np.full(len(people), _NEVER)
        np.minimum.at(soonest, visitor[hits], moments.time_us[hits])
        reached = soonest
        if number == 0:
            first = hits[moments.time_us[hits] == reached[visitor[hits]]]
            entered_on[visitor[first]] = moments.device[first]
        came = reached < _NEVER
        by_device = np.bincount(entered_on[came], minlength=len(SEGMENT_VALUES["device"]))
        rows.append([int(came.sum()), *by_device.tolist()])
    return rows


def _payment_rows(day: date, batch: Batch) -> Iterator[Row]:
    """Events and sessions of each payment method of the date."""
    events = batch.events
    hit = events.code == CODES["add_payment_info"]
    detail, session = events.detail[hit], events.session[hit]
    for code in np.unique(detail).tolist():
        own = session[detail == code]
        sessions = len(distinct(own, len(batch.sessions)))
        yield [day.isoformat(), DETAIL_VALUES[code], len(own), sessions]


def windows_of(start: date, end: date) -> Iterator[tuple[str, date, date]]:
    """Name, first and last date of the four windows of a shop that has dates to `end`, and of the
    window before each, as far as `start` lies before their end.
    """
    monday = end + timedelta(days=1) - timedelta(days=(end + timedelta(days=1)).weekday())
    month = (end + timedelta(days=1)).replace(day=1)
    after = {"7d": end + timedelta(days=1), "28d": end + timedelta(days=1), "week": monday}
    for name, length in (("7d", 7), ("28d", 28), ("week", 7)):
        for age in (0, 1):
            last = after[name] - timedelta(days=1 + age * length)
            if last >= start:
                yield name, last - timedelta(days=length - 1), last
    for _ in range(2):
        last = month - timedelta(days=1)
        month = last.replace(day=1)
        if last >= start:
            yield "month", month, last


def item_windows(start: date, end: date, items: Sequence[Row]) -> Iterator[Row]:
    """Sums of the daily item rows over each window: units and revenue may be added up."""
    for name, first, last in windows_of(start, end):
        sums: dict[tuple[str, str], list[float]] = {}
        for day, item_id, item_name, *numbers in items:
            if first.isoformat() <= str(day) <= last.isoformat():
                own = sums.setdefault((str(item_id), str(item_name)), [0.0] * len(numbers))
                own[:] = [one + float(more) for one, more in zip(own, numbers, strict=True)]
        for (item_id, item_name), (*units, revenue) in sums.items():
            window = (name, first.isoformat(), last.isoformat(), item_id, item_name)
            yield [*window, *map(int, units), round(revenue, 2)]
