"""The page views of a day's sessions, in order and with their times.

Events hang on pages: an event's address, title and time come from the page it happened on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipelines.emulator.simulator import catalogue
from pipelines.emulator.simulator.catalogue import CART, CHECKOUT, COLLECTION, HOME, OTHER, PRODUCT
from pipelines.emulator.simulator.columns import Bools, Floats, Ints, ranges
from pipelines.emulator.simulator.localtime import SECOND_US
from pipelines.emulator.simulator.plan import BEGIN, CONTACT, PAID, PAYMENT, Plan
from pipelines.emulator.simulator.visitors import Sessions

# Mean-log seconds on a page by page type: home, collection, product, cart, checkout, other.
_DWELL_SECONDS = np.array([18.0, 30.0, 60.0, 25.0, 40.0, 25.0])
_DWELL_SIGMA = 0.8
# Below the 30 minutes of silence after which GA4 would open a new session.
_DWELL_MAX_SECONDS = 25 * 60.0
# Depth of checkout that opens each of `catalogue.CHECKOUT_STEPS`.
_STEP_OPENS_AT = (BEGIN, CONTACT, PAYMENT, PAID)
_KEYS = 1_000


@dataclass(frozen=True)
class Pages:
    """Page views sorted by session and time. `item` is a catalogue item code, -1 off product."""

    session: Ints
    page: Ints
    page_type: Ints
    item: Ints
    start_us: Ints
    dwell_us: Ints
    is_first: Bools

    def of_type(self, page_type: int) -> Ints:
        """Rows of the pages of one type."""
        return np.flatnonzero(self.page_type == page_type)


def lay_out_pages(rng: np.random.Generator, sessions: Sessions, plan: Plan) -> Pages:
    """Pages of the plan: the landing page first, then browsing, cart and checkout."""
    session, page_type, key, page = _unordered(rng, plan)
    order = np.argsort(session * _KEYS + key, kind="stable")
    session, page_type, page = session[order], page_type[order], page[order]
    item = np.where(page_type == PRODUCT, page - catalogue.FIRST_PRODUCT, -1)
    is_first = np.diff(session, prepend=-1) != 0
    page = _match_collections(session, page_type, page, item)
    seconds = _dwell_seconds(rng, plan, session, page_type)
    dwell_us = (seconds * SECOND_US).astype(np.int64)
    elapsed = np.cumsum(dwell_us) - dwell_us
    first_row = np.maximum.accumulate(np.where(is_first, np.arange(len(session)), 0))
    start_us = sessions.start_us[session] + elapsed - elapsed[first_row]
    return Pages(session, page, page_type, item, start_us, dwell_us, is_first)


def _unordered(rng: np.random.Generator, plan: Plan) -> tuple[Ints, Ints, Ints, Ints]:
    """Session, page type, order key within the session and page code of every page view."""
    everyone = np.arange(len(plan.landing))
    blocks: list[tuple[int, Ints, Ints, Ints]] = []

    def repeat(page_type: int, counts: Ints, first_key: int, first_page: int, kinds: int) -> None:
        session = np.repeat(everyone, counts)
        ordinal = ranges(np.zeros_like(counts), counts)
        is_landing = (ordinal == 0) & (plan.landing[session] == page_type)
        key = np.where(is_landing, 0, first_key + 10 * ordinal)
        page = first_page + rng.integers(0, kinds, size=len(session))
        blocks.append((page_type, session, key, page))

    repeat(HOME, plan.has_home.astype(np.int64), 5, 0, 1)
    repeat(COLLECTION, plan.collections, 10, catalogue.FIRST_COLLECTION, len(catalogue.CATEGORIES))
    repeat(PRODUCT, plan.products, 13, catalogue.FIRST_PRODUCT, 1)
    repeat(OTHER, plan.others, 27, catalogue.FIRST_OTHER, len(catalogue.OTHER_PAGES))
    repeat(CART, plan.has_cart.astype(np.int64), 200, catalogue.CART_PAGE, 1)
    for step, depth in enumerate(_STEP_OPENS_AT):
        opened = (plan.checkout_depth >= depth).astype(np.int64)
        repeat(CHECKOUT, opened, 300 + step, catalogue.FIRST_CHECKOUT + step, 1)
    products = blocks[2]
    chosen = rng.choice(catalogue.ITEM_COUNT, size=len(products[1]), p=catalogue.POPULARITY)
    blocks[2] = (*products[:3], products[3] + chosen)
    return (
        np.concatenate([session for _, session, _, _ in blocks]),
        np.concatenate([np.full(len(session), kind) for kind, session, _, _ in blocks]),
        np.concatenate([key for _, _, key, _ in blocks]),
        np.concatenate([page for _, _, _, page in blocks]),
    )


def _match_collections(session: Ints, page_type: Ints, page: Ints, item: Ints) -> Ints:
    """A collection that leads to a product page is the one that product belongs to."""
    leads = np.zeros(len(page), dtype=np.bool_)
    leads[:-1] = (
        (page_type[:-1] == COLLECTION) & (page_type[1:] == PRODUCT) & (session[:-1] == session[1:])
    )
    rows = np.flatnonzero(leads)
    matched = page.copy()
    matched[rows] = catalogue.FIRST_COLLECTION + catalogue.CATEGORY_OF_ITEM[item[rows + 1]]
    return matched


def _dwell_seconds(rng: np.random.Generator, plan: Plan, session: Ints, page_type: Ints) -> Floats:
    """Log-normal seconds on each page; half as long where the landing page is the only one."""
    bounced = np.bincount(session, minlength=len(plan.landing)) == 1
    scale = _DWELL_SECONDS[page_type] * np.where(bounced[session], 0.5, 1.0)
    scale = scale * np.exp(0.15 * plan.intent[session])
    seconds = scale * rng.lognormal(sigma=_DWELL_SIGMA, size=len(session))
    return np.clip(seconds, 1.5, _DWELL_MAX_SECONDS)
