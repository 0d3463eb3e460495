"""What really happened, counted from the simulator's own arrays and written to truth.json.

Independent on purpose: nothing here reads the events back, the tracking plan's seed or the
emulator. The keys are those of the default plan, in a table of their own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Self

import numpy as np

from pipelines.emulator.simulator.catalogue import HOME, ITEM_COUNT, PAGE_TYPE_OF_PAGE, PRODUCT
from pipelines.emulator.simulator.columns import Bools, Ints, distinct, take
from pipelines.emulator.simulator.events import CODES, EVENT_NAMES, Batch, Events
from pipelines.emulator.simulator.experiments import EXPOSURE_EVENT
from pipelines.emulator.simulator.items import ITEM_IDS, ITEM_NAMES
from pipelines.emulator.simulator.visitors import SEGMENT_VALUES

SCHEMA_VERSION = 1

# Key of the tracking plan -> event names that count as it.
KEY_EVENTS: dict[str, tuple[str, ...]] = {
    "promotion_view": ("view_promotion",),
    "hero_click": ("select_promotion",),
    "navigation_click": ("navigation_click",),
    "list_view": ("view_item_list",),
    "product_click": ("select_item",),
    "filter_use": ("filter_apply",),
    "sort_use": ("sort_apply",),
    "pagination": ("list_paginate",),
    "product_view": ("view_item",),
    "gallery": ("image_gallery_interaction",),
    "size_guide": ("size_guide_open",),
    "read_more": ("description_expand",),
    "review_scroll": ("review_section_view",),
    "video_play": ("product_video_play", "video_start"),
    "variant_select": ("select_variant",),
    "quantity_change": ("quantity_change",),
    "add_to_cart": ("add_to_cart",),
    "wishlist": ("add_to_wishlist",),
    "save_for_later": ("save_for_later",),
    "email_capture": ("generate_lead", "sign_up", "newsletter_signup", "back_in_stock_signup"),
    "cart_view": ("view_cart",),
    "checkout_start": ("begin_checkout",),
    "contact_done": ("add_contact_info",),
    "delivery_done": ("add_shipping_info",),
    "payment_reached": ("payment_step_view",),
    "payment_method": ("add_payment_info",),
    "purchase": ("purchase",),
    "experiment_exposure": (EXPOSURE_EVENT,),
}
# Keys that also ask for a page type and a scroll depth: event, page type, least percent.
_FILTERED_KEYS: dict[str, tuple[str, int, int]] = {
    "home_view": ("page_view", HOME, 0),
    "home_scroll_fold": ("scroll_depth", HOME, 0),
    "product_scroll_50": ("scroll_depth", PRODUCT, 50),
}
KEYS = (*KEY_EVENTS, *_FILTERED_KEYS)

_SESSION_COLUMNS = (
    "date", "segment_name", "segment_value", "sessions", "engaged_sessions", "transactions",
    "purchase_revenue", "screen_page_views",
)  # fmt: skip
_EVENT_COLUMNS = ("date", "segment_name", "segment_value", "event_name", "events", "sessions")
_KEY_COLUMNS = ("date", "segment_name", "segment_value", "key", "events", "sessions")
_ITEM_COLUMNS = (
    "date", "item_id", "item_name", "items_viewed", "items_added_to_cart", "items_checked_out",
    "items_purchased", "item_revenue",
)  # fmt: skip
_ITEM_EVENTS = ("view_item", "add_to_cart", "begin_checkout", "purchase")

Row = list[str | int | float]


class Tables:
    """Long tables as a dataclass of lists of rows, one a table."""

    def extend(self, other: Self) -> None:
        """Adds another date's rows."""
        for name, rows in vars(other).items():
            getattr(self, name).extend(rows)


@dataclass(frozen=True)
class Truth(Tables):
    """Rows of the four long tables, in the order of the column tuples above."""

    sessions: list[Row] = field(default_factory=list)
    events: list[Row] = field(default_factory=list)
    keys: list[Row] = field(default_factory=list)
    items: list[Row] = field(default_factory=list)


@dataclass(frozen=True)
class _Occurrences:
    """Who did what: every event's session row and name code, and the distinct pairs of them.

    Events without a session make no pair.
    """

    names: Sequence[str]
    session: Ints
    code: Ints
    is_sessionless: Bools
    pair_session: Ints
    pair_code: Ints


def count_day(day: date, batch: Batch) -> Truth:
    """The truth of one date: `batch` holds every event of that local date and no other."""
    truth = Truth()
    count = len(batch.sessions)
    events = _occurrences(EVENT_NAMES, batch.events, batch.events.code, count)
    rows, key_codes = key_rows(batch)
    keys = _occurrences(KEYS, take(batch.events, rows), key_codes, count)
    for segment_name in SEGMENT_VALUES:
        of_session = batch.sessions.segment_codes(segment_name)
        truth.sessions.extend(_session_rows(day, segment_name, batch, of_session))
        truth.events.extend(_name_rows(day, segment_name, events, of_session))
        truth.keys.extend(_name_rows(day, segment_name, keys, of_session))
    truth.items.extend(_item_rows(day, batch))
    return truth


def _occurrences(
    names: Sequence[str], events: Events, code: Ints, session_count: int
) -> _Occurrences:
    own, outside = ~events.is_sessionless, events.is_sessionless
    pairs = distinct(events.session[own] * len(names) + code[own], session_count * len(names))
    return _Occurrences(
        names, events.session, code, outside, pairs // len(names), pairs % len(names)
    )


def is_first_order(batch: Batch) -> Bools:
    """Purchase rows that are an order's earliest; a reloaded confirmation is not one."""
    is_purchase: Bools = batch.events.code == CODES["purchase"]
    return is_purchase & ~batch.events.is_repeat


def key_rows(batch: Batch) -> tuple[Ints, Ints]:
    """Event row and key code of every event that counts for a key (an event may count twice)."""
    events = batch.events
    key_of_event = np.full(len(EVENT_NAMES), -1)
    for key, names in KEY_EVENTS.items():
        key_of_event[[CODES[name] for name in names]] = KEYS.index(key)
    simple = key_of_event[events.code]
    hits = [np.flatnonzero(simple >= 0)]
    keys = [simple[hits[0]]]
    page_type = PAGE_TYPE_OF_PAGE[events.page]
    for key, (name, wanted, percent) in _FILTERED_KEYS.items():
        hit = (events.code == CODES[name]) & (page_type == wanted) & (events.percent >= percent)
        hits.append(np.flatnonzero(hit))
        keys.append(np.full(len(hits[-1]), KEYS.index(key)))
    return np.concatenate(hits), np.concatenate(keys)


def _name_rows(
    day: date, segment_name: str, occurrences: _Occurrences, of_session: Ints
) -> list[Row]:
    """Events and distinct sessions of each segment value x name that occurred at all."""
    values, names = _values(segment_name), occurrences.names
    width = len(names)
    cells = len(values) * width
    of_event = np.where(
        occurrences.is_sessionless, len(values) - 1, of_session[occurrences.session]
    )
    cell_of_event = of_event * width + occurrences.code
    cell_of_pair = of_session[occurrences.pair_session] * width + occurrences.pair_code
    event_count = np.bincount(cell_of_event, minlength=cells)
    reached = np.bincount(cell_of_pair, minlength=cells)
    return [
        [
            day.isoformat(),
            segment_name,
            values[cell // width],
            names[cell % width],
            int(event_count[cell]),
            int(reached[cell]),
        ]
        for cell in np.flatnonzero(event_count).tolist()
    ]


def _session_rows(day: date, segment_name: str, batch: Batch, of_session: Ints) -> list[Row]:
    values = _values(segment_name)
    events = batch.events
    own = ~events.is_sessionless
    of_event = np.where(own, of_session[events.session], len(values) - 1)
    is_order = is_first_order(batch)

    def tally(codes: Ints) -> list[int]:
        counts: list[int] = np.bincount(codes, minlength=len(values)).tolist()
        return counts

    sessions = tally(of_session[distinct(events.session[own], len(of_session))])
    engaged = tally(of_session[distinct(events.session[events.is_engaged], len(of_session))])
    orders = tally(of_event[is_order])
    cents = np.zeros(len(values), dtype=np.int64)
    np.add.at(cents, of_event[is_order], batch.value_cents()[is_order])
    views = tally(of_event[events.code == CODES["page_view"]])
    return [
        [
            day.isoformat(),
            segment_name,
            value,
            sessions[code],
            engaged[code],
            orders[code],
            int(cents[code]) / 100,
            views[code],
        ]
        for code, value in enumerate(values)
        if sessions[code] or orders[code]
    ]


def _values(segment_name: str) -> tuple[str, ...]:
    """A segment's values. The last is that of events without a session: nothing is known of it."""
    values = SEGMENT_VALUES[segment_name]
    return values if segment_name == "all" else (*values, "(not set)")


def _item_rows(day: date, batch: Batch) -> list[Row]:
    """Units by item (itemsViewed and its siblings) and the revenue of first orders."""
    owner, line = batch.line_rows()
    item, units = batch.lines.item[line], batch.lines.units()[line]
    code, is_order = batch.events.code[owner], is_first_order(batch)[owner]
    totals = np.zeros((2 * ITEM_COUNT, len(_ITEM_EVENTS) + 1), dtype=np.int64)
    for column, name in enumerate(_ITEM_EVENTS):
        hit = is_order if name == "purchase" else code == CODES[name]
        np.add.at(totals[:, column], item[hit], units[hit])
    np.add.at(totals[:, -1], item[is_order], batch.lines.cents()[line][is_order])
    return [
        [
            day.isoformat(),
            ITEM_IDS[min(row, ITEM_COUNT)],
            ITEM_NAMES[row % ITEM_COUNT],
            *totals[row, :-1].tolist(),
            int(totals[row, -1]) / 100,
        ]
        for row in np.flatnonzero(totals.any(axis=1)).tolist()
    ]


def write_truth(
    path: Path, header: Mapping[str, object], truth: Truth, more: Mapping[str, object]
) -> None:
    """Writes truth.json: the header's facts, the four tables, and `more` tables."""
    tables = {
        "sessions": {"columns": _SESSION_COLUMNS, "rows": truth.sessions},
        "events": {"columns": _EVENT_COLUMNS, "rows": truth.events},
        "keys": {"columns": _KEY_COLUMNS, "rows": truth.keys},
        "items": {"columns": _ITEM_COLUMNS, "rows": truth.items},
    }
    document = {"schema_version": SCHEMA_VERSION, **header, **tables, **more}
    path.write_text(json.dumps(document, separators=(",", ":")) + "\n", encoding="utf-8")
