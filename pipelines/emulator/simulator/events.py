"""Events as columns: their names, the parameters they carry, and the table they are kept in.

What makes an event happen is in emit.py; how it is written to Parquet in export.py.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from pipelines.emulator.simulator import catalogue
from pipelines.emulator.simulator.columns import Bools, Ints, concat, distinct, ranges, take
from pipelines.emulator.simulator.experiments import EXPOSURE_EVENT
from pipelines.emulator.simulator.plan import EMAIL_EVENTS, ENGAGEMENT
from pipelines.emulator.simulator.visitors import Sessions

EVENT_NAMES = (
    "session_start", "first_visit", "page_view", "user_engagement", "scroll",
    "view_promotion", "select_promotion", "navigation_click", "scroll_depth",
    "view_item_list", "select_item", "filter_apply", "sort_apply", "list_paginate",
    "view_item", *ENGAGEMENT, "add_to_cart", *EMAIL_EVENTS, "save_for_later", "view_cart",
    "begin_checkout", "add_contact_info", "add_shipping_info", "payment_step_view",
    "add_payment_info", "purchase", EXPOSURE_EVENT,
)  # fmt: skip
CODES: dict[str, int] = {name: code for code, name in enumerate(EVENT_NAMES)}

# Sent by GA4 itself or once per session: never doubled by an impatient click.
ONCE_PER_SESSION = ("session_start", "first_visit", "purchase")
# GA4 collects these on its own, without the shop's page_type parameter.
WITHOUT_PAGE_TYPE = ("session_start", "first_visit", "user_engagement", "scroll", "video_start")
WITHOUT_ENGAGEMENT_TIME = ("session_start", "first_visit", "page_view")
WITH_VALUE = (
    "view_item", "add_to_cart", "add_to_wishlist", "view_cart", "begin_checkout",
    "add_shipping_info", "add_payment_info", "purchase",
)  # fmt: skip

# One free-text parameter per event: its key and the values it takes with their weights.
DETAILS: dict[str, tuple[str, tuple[str, ...], tuple[float, ...]]] = {
    "view_promotion": ("promotion_name", ("Autumn sale", "New arrivals"), (0.6, 0.4)),
    "select_promotion": ("promotion_name", ("Autumn sale", "New arrivals"), (0.7, 0.3)),
    "navigation_click": ("link_text", ("Women", "Men", "Shoes", "Sale"), (0.3, 0.3, 0.2, 0.2)),
    "filter_apply": ("filter_name", ("size", "colour", "price"), (0.5, 0.3, 0.2)),
    "sort_apply": ("sort_by", ("price_asc", "newest", "rating"), (0.5, 0.3, 0.2)),
    "select_variant": ("variant", ("S", "M", "L", "XL"), (0.2, 0.35, 0.3, 0.15)),
    "newsletter_signup": ("method", ("footer", "popup"), (0.4, 0.6)),
    "sign_up": ("method", ("email", "google"), (0.7, 0.3)),
    "add_shipping_info": ("shipping_tier", ("standard", "express", "pickup"), (0.7, 0.2, 0.1)),
    "add_payment_info": (
        "payment_type", ("paypal", "credit_card", "invoice", "apple_pay", "sofort"),
        (0.36, 0.27, 0.20, 0.11, 0.06),
    ),
}  # fmt: skip
DETAIL_VALUES = tuple(sorted({value for _, values, _ in DETAILS.values() for value in values}))


def code_table(names: tuple[str, ...]) -> Bools:
    """Whether each event code is one of `names`. Shape (len(EVENT_NAMES),)."""
    return np.isin(EVENT_NAMES, names)


@dataclass(frozen=True)
class Events:
    """Event rows. `session` is a row of the batch's sessions; lines `line_start`…+`line_count`
    of the batch's lines are its items. `exposure` is the code of a variant that is shown
    (`exposure_values`). 0 percent, -1 detail, exposure, order or milliseconds: not sent.
    `is_sessionless`: sent by the shop's server, which knows the visitor and not the session.
    """

    session: Ints
    code: Ints
    time_us: Ints
    page: Ints
    percent: Ints
    detail: Ints
    exposure: Ints
    line_start: Ints
    line_count: Ints
    order: Ints
    is_repeat: Bools
    is_engaged: Bools
    engagement_ms: Ints
    is_sessionless: Bools

    def __len__(self) -> int:
        return len(self.code)


@dataclass(frozen=True)
class Lines:
    """Item lines that events point into: item code and quantity (0: the tag sent none)."""

    item: Ints
    quantity: Ints

    def units(self) -> Ints:
        """Quantity, or 1 where none was sent."""
        return np.maximum(self.quantity, 1)

    def cents(self) -> Ints:
        """Gross price of each line in cents."""
        prices: Ints = catalogue.PRICE_CENTS[self.item]
        return prices * self.units()


@dataclass(frozen=True)
class Batch:
    """Events with the sessions and item lines they refer to."""

    sessions: Sessions
    events: Events
    lines: Lines

    def value_cents(self) -> Ints:
        """Worth of each event's items in cents. Shape (events,)."""
        total = np.concatenate([[0], np.cumsum(self.lines.cents())])
        first = self.events.line_start
        worth: Ints = total[first + self.events.line_count] - total[first]
        return worth

    def line_rows(self) -> tuple[Ints, Ints]:
        """Every (event row, line row) pair, in event order."""
        owner = np.repeat(np.arange(len(self.events)), self.events.line_count)
        return owner, ranges(self.events.line_start, self.events.line_count)


def select(batch: Batch, rows: Bools) -> Batch:
    """The chosen events with only the sessions and lines they need."""
    events = take(batch.events, rows)
    kept = distinct(events.session, len(batch.sessions))
    session = np.searchsorted(kept, events.session)
    lines = take(batch.lines, ranges(events.line_start, events.line_count))
    moved = replace(
        events,
        session=session,
        line_start=np.cumsum(events.line_count) - events.line_count,
    )
    return Batch(take(batch.sessions, kept), moved, lines)


def join(first: Batch, second: Batch) -> Batch:
    """Both batches as one; their sessions are taken to be different ones."""
    moved = replace(
        second.events,
        session=second.events.session + len(first.sessions),
        line_start=second.events.line_start + len(first.lines.item),
    )
    return Batch(
        concat(first.sessions, second.sessions),
        concat(first.events, moved),
        concat(first.lines, second.lines),
    )


def shuffled(rng: np.random.Generator, batch: Batch) -> Batch:
    """The batch with its event rows in disorder, as exports deliver them."""
    order = rng.permutation(len(batch.events))
    return replace(batch, events=take(batch.events, order))
