"""What each session is going to do, drawn at session level from one latent intent.

Intent drives how much a visitor looks at, engages with and buys, so engagement *correlates* a lot
with adding to the cart; the small coefficients on engagement itself are what it *causes*.
The intercepts were fitted to the middle of the default benchmarks (seeds/benchmarks.csv): of 28,000
sessions 57 % see a product, 7.5 % of those add, 55 % of these start and 60 % of these pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from pipelines.emulator.simulator.catalogue import COLLECTION, HOME, OTHER, PRODUCT
from pipelines.emulator.simulator.columns import Bools, Floats, Ints
from pipelines.emulator.simulator.visitors import Sessions

# Product-page engagement: event, intercept and what it adds to the log-odds of an add to cart.
ENGAGEMENT: dict[str, tuple[float, float]] = {
    "image_gallery_interaction": (-0.6, 0.10),
    "size_guide_open": (-2.3, 0.08),
    "description_expand": (-1.2, 0.05),
    "review_section_view": (-1.3, 0.12),
    "product_video_play": (-3.0, 0.10),
    "video_start": (-3.6, 0.05),
    "select_variant": (-0.9, 0.10),
    "quantity_change": (-2.9, 0.05),
    "add_to_wishlist": (-3.6, 0.00),
}
EMAIL_EVENTS = ("newsletter_signup", "sign_up", "generate_lead", "back_in_stock_signup")

# How far a checkout gets. Each step's chance, given the one before; the product is 60 %.
BEGIN, CONTACT, DELIVERY, PAYMENT, METHOD, PAID = range(1, 7)
_STEP_RATES = {CONTACT: 0.90, DELIVERY: 0.93, PAYMENT: 0.96, METHOD: 0.93, PAID: 0.805}

_LANDINGS = (HOME, COLLECTION, PRODUCT, OTHER)
_LANDING_WEIGHTS = (0.38, 0.27, 0.28, 0.07)
_ENGAGEMENT_SLOPE = 0.8
_EMAIL_WEIGHTS = (0.55, 0.20, 0.13, 0.12)
_EMAIL_RATE = 0.02
_BUY_NOW_RATE = 0.0016
# Of those who browse on: by way of the home page, or of a page about the shop.
_HOME_RATE = 0.15
_OTHER_RATE = 0.12
# Of those who added: seen in the cart page (the rest use the mini cart); of those who did not.
_CART_RATE = 0.82
_BASKET_CHECK_RATE = 0.008
# Log-odds of adding to the cart: mobile, desktop, tablet. Small: no segment leaks by itself.
_DEVICE_EFFECT = np.array([-0.03, 0.05, 0.0])


Factors: TypeAlias = Mapping[str, Floats]
"""Step → what each session's chance of it is multiplied by; 1 without an entry."""


@dataclass(frozen=True)
class Plan:
    """Decisions of each session. Shapes: (sessions,), `engaged` (sessions, len(ENGAGEMENT))."""

    intent: Floats
    landing: Ints
    has_home: Bools
    collections: Ints
    products: Ints
    others: Ints
    engaged: Bools
    adds: Bools
    has_cart: Bools
    checkout_depth: Ints
    email: Ints


def draw_plan(rng: np.random.Generator, sessions: Sessions, factors: Factors) -> Plan:
    """The plan of a day's sessions; `factors` are what leaks and variants do to them."""
    count = len(sessions)
    intent = rng.normal(size=count)
    landing = rng.choice(_LANDINGS, size=count, p=_LANDING_WEIGHTS)
    stays = rng.random(count) < _chance(0.9 + 0.7 * intent)
    collections = stays * rng.poisson(0.8 * np.exp(0.25 * intent)).clip(max=5)
    products = stays * rng.poisson(0.88 * np.exp(0.30 * intent)).clip(max=7)
    products += landing == PRODUCT
    others = (stays & (rng.random(count) < _OTHER_RATE)).astype(np.int64) + (landing == OTHER)
    engaged = _draw_engagement(rng, intent, products > 0)
    adds, skips = _draw_adds(rng, sessions, factors, intent, engaged, products > 0)
    has_cart = (adds & (rng.random(count) < _CART_RATE)) | (
        stays & (rng.random(count) < _BASKET_CHECK_RATE)
    )
    return Plan(
        intent=intent,
        landing=landing,
        has_home=(landing == HOME) | (stays & (rng.random(count) < _HOME_RATE)),
        collections=collections + (landing == COLLECTION),
        products=products,
        others=others,
        engaged=engaged,
        adds=adds,
        has_cart=has_cart,
        checkout_depth=_draw_checkout(rng, sessions, factors, intent, adds, skips),
        email=_draw_email(rng, sessions, factors, products > 0),
    )


def _chance(log_odds: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-log_odds))


def _draw_engagement(rng: np.random.Generator, intent: Floats, sees_product: Bools) -> Bools:
    intercepts = np.array([intercept for intercept, _ in ENGAGEMENT.values()])
    chance = _chance(intercepts + _ENGAGEMENT_SLOPE * intent[:, None])
    return (rng.random(chance.shape) < chance) & sees_product[:, None]


def _draw_adds(
    rng: np.random.Generator,
    sessions: Sessions,
    factors: Factors,
    intent: Floats,
    engaged: Bools,
    sees_product: Bools,
) -> tuple[Bools, Bools]:
    """Who adds to the cart, and who buys at once without it (never both)."""
    caused = engaged @ np.array([effect for _, effect in ENGAGEMENT.values()])
    device = _DEVICE_EFFECT[sessions.segment_codes("device")]
    factor = factors.get("add_to_cart", 1.0)
    chance = _chance(-3.36 + 1.1 * intent + caused + device) * factor
    adds = sees_product & (rng.random(len(sessions)) < chance)
    skips = sees_product & ~adds & (rng.random(len(sessions)) < _BUY_NOW_RATE * factor)
    return adds, skips


def _draw_checkout(
    rng: np.random.Generator,
    sessions: Sessions,
    factors: Factors,
    intent: Floats,
    adds: Bools,
    skips: Bools,
) -> Ints:
    """How far each session gets: 0 (no checkout) to `PAID`."""
    count = len(sessions)
    chance = _chance(-0.10 + 0.2 * intent)
    begins = adds & (rng.random(count) < chance * factors.get("checkout_start", 1.0))
    goes_on = begins | skips
    depth = goes_on.astype(np.int64)
    for step, rate in _STEP_RATES.items():
        factor = factors.get("purchase", 1.0) if step == PAID else 1.0
        goes_on = goes_on & (rng.random(count) < rate * factor)
        depth += goes_on
    return depth


def _draw_email(
    rng: np.random.Generator, sessions: Sessions, factors: Factors, sees_product: Bools
) -> Ints:
    """Position in `EMAIL_EVENTS`, or -1; back in stock needs a product page."""
    chance = _EMAIL_RATE * factors.get("email_capture", 1.0)
    leaves = rng.random(len(sessions)) < chance
    kind = rng.choice(len(EMAIL_EVENTS), size=len(sessions), p=_EMAIL_WEIGHTS)
    kind = np.where((kind == EMAIL_EVENTS.index("back_in_stock_signup")) & ~sees_product, 0, kind)
    return np.where(leaves, kind, -1)
