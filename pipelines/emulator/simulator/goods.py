"""The events that carry goods: lists, product pages, cart, checkout and purchase.

Item lines lie in one table per day: first the catalogue (for lists), then one line per product
page view, then the cart lines session by session, so that an event's items are one range of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np

from pipelines.emulator.simulator import catalogue
from pipelines.emulator.simulator.catalogue import CART, COLLECTION, PRODUCT
from pipelines.emulator.simulator.columns import Bools, Ints, concat
from pipelines.emulator.simulator.emitter import Emitter
from pipelines.emulator.simulator.events import Lines
from pipelines.emulator.simulator.plan import (
    BEGIN,
    CONTACT,
    DELIVERY,
    ENGAGEMENT,
    METHOD,
    PAID,
    PAYMENT,
)

_UNSET_ITEM_SHARE = 0.004
_SECOND_UNIT_SHARE = 0.12
_ALSO_ADDED_SHARE = 0.25
_CATEGORY_SIZE = catalogue.ITEM_COUNT // len(catalogue.CATEGORIES)
_ORDERS_PER_DAY = 10_000_000
# Checkout page of `catalogue.CHECKOUT_STEPS`, depth that is needed, and when on the page.
_CHECKOUT_EVENTS = (
    ("begin_checkout", 0, BEGIN, 0.01, 0.03),
    ("add_contact_info", 0, CONTACT, 0.6, 0.95),
    ("add_shipping_info", 1, DELIVERY, 0.6, 0.95),
    ("payment_step_view", 2, PAYMENT, 0.01, 0.03),
    ("add_payment_info", 2, METHOD, 0.5, 0.95),
    ("purchase", 3, PAID, 0.01, 0.03),
)


@dataclass(frozen=True)
class Carts:
    """Each session's range of cart lines; none where it bought nothing. Shape (sessions,)."""

    start: Ints
    count: Ints


def emit_goods(emitter: Emitter, day: date) -> Lines:
    """Emits the events from list to purchase; returns the day's item lines."""
    pages = emitter.pages
    product = pages.of_type(PRODUCT)
    line_of_page = np.full(len(pages.session), -1)
    line_of_page[product] = catalogue.ITEM_COUNT + np.arange(len(product))
    _emit_lists(emitter, line_of_page)
    emitter.add("view_item", product, 0.01, 0.02, line_start=line_of_page[product], line_count=1)
    _emit_engagement(emitter, product)
    bought, is_added = _cart_rows(emitter, product)
    first_cart = catalogue.ITEM_COUNT + len(product)
    added = first_cart + np.flatnonzero(is_added)
    emitter.add("add_to_cart", bought[is_added], 0.6, 0.85, line_start=added, line_count=1)
    counts = np.bincount(pages.session[bought], minlength=len(emitter.sessions))
    carts = Carts(first_cart + np.cumsum(counts) - counts, counts)
    _emit_cart(emitter, carts)
    _emit_checkout(emitter, carts, day)
    return _all_lines(emitter, product, bought)


def _all_lines(emitter: Emitter, product: Ints, bought: Ints) -> Lines:
    """Catalogue, product page and cart lines; only the cart's carry a quantity."""
    shown = np.concatenate([np.arange(catalogue.ITEM_COUNT), emitter.pages.item[product]])
    unset = emitter.rng.random(len(product)) < _UNSET_ITEM_SHARE
    shown[catalogue.ITEM_COUNT :] += catalogue.ITEM_COUNT * unset
    unset = emitter.rng.random(len(bought)) < _UNSET_ITEM_SHARE
    carted = emitter.pages.item[bought] + catalogue.ITEM_COUNT * unset
    quantity = 1 + (emitter.rng.random(len(bought)) < _SECOND_UNIT_SHARE).astype(np.int64)
    return concat(Lines(shown, np.zeros_like(shown)), Lines(carted, quantity))


def _emit_lists(emitter: Emitter, line_of_page: Ints) -> None:
    pages = emitter.pages
    rows = emitter.some(pages.of_type(COLLECTION), 0.98)
    category = pages.page[rows] - catalogue.FIRST_COLLECTION
    offset = emitter.rng.integers(0, _CATEGORY_SIZE - catalogue.LIST_SIZE + 1, size=len(rows))
    start = category * _CATEGORY_SIZE + offset
    emitter.add(
        "view_item_list", rows, 0.01, 0.04, line_start=start, line_count=catalogue.LIST_SIZE
    )
    for name, chance in (("filter_apply", 0.18), ("sort_apply", 0.09), ("list_paginate", 0.13)):
        emitter.add(name, emitter.some(rows, chance), 0.2, 0.8)
    follower = np.append(line_of_page[1:], -1)
    follower[:-1][pages.is_first[1:]] = -1
    clicked = emitter.some(rows[follower[rows] >= 0], 0.94)
    emitter.add("select_item", clicked, 0.9, 1.0, line_start=follower[clicked], line_count=1)


def _pick_product(emitter: Emitter, product: Ints, wanted: Bools) -> Ints:
    """One product page row of each wanted session (all of them have one), at random."""
    count = np.bincount(emitter.pages.session[product], minlength=len(wanted))
    first = np.cumsum(count) - count
    sessions = np.flatnonzero(wanted)
    nth = (emitter.rng.random(len(sessions)) * count[sessions]).astype(np.int64)
    picked: Ints = product[first[sessions] + nth]
    return picked


def _emit_engagement(emitter: Emitter, product: Ints) -> None:
    for position, name in enumerate(ENGAGEMENT):
        rows = _pick_product(emitter, product, emitter.plan.engaged[:, position])
        emitter.add(name, rows, 0.1, 0.55)
        emitter.add(name, emitter.some(rows, 0.15), 0.55, 0.6)


def _cart_rows(emitter: Emitter, product: Ints) -> tuple[Ints, Bools]:
    """Product page rows whose item is bought, and which of them were put into the cart
    (the others were bought at once).
    """
    plan, session = emitter.plan, emitter.pages.session
    skips = (plan.checkout_depth > 0) & ~plan.adds
    picked = _pick_product(emitter, product, plan.adds | skips)
    others = emitter.some(product[plan.adds[session[product]]], _ALSO_ADDED_SHARE)
    bought = np.union1d(picked, others)
    return bought, plan.adds[session[bought]]


def _emit_cart(emitter: Emitter, carts: Carts) -> None:
    rows = emitter.pages.of_type(CART)
    session = emitter.pages.session[rows]
    emitter.add(
        "view_cart",
        rows,
        0.01,
        0.04,
        line_start=carts.start[session],
        line_count=carts.count[session],
    )
    emitter.add("save_for_later", emitter.some(rows[carts.count[session] > 0], 0.05), 0.3, 0.9)


def _emit_checkout(emitter: Emitter, carts: Carts, day: date) -> None:
    pages = emitter.pages
    order = np.full(len(emitter.sessions), -1)
    paid = np.flatnonzero(emitter.plan.checkout_depth >= PAID)
    order[paid] = int(f"{day:%Y%m%d}") * _ORDERS_PER_DAY + np.arange(len(paid))
    for name, step, depth, begin, end in _CHECKOUT_EVENTS:
        rows = np.flatnonzero(pages.page == catalogue.FIRST_CHECKOUT + step)
        rows = rows[emitter.plan.checkout_depth[pages.session[rows]] >= depth]
        session = pages.session[rows]
        emitter.add(
            name,
            rows,
            begin,
            end,
            line_start=carts.start[session],
            line_count=carts.count[session],
            order=order[session] if name == "purchase" else -1,
        )
