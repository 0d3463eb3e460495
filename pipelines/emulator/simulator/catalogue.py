"""What the demo shop sells and the pages it has, as parallel arrays indexed by code.

Items are addressed by `item code`: 0..N-1 is the catalogue, N..2N-1 the same goods sent by a
sloppy tag that left item_id out, which GA4 shows as `(not set)`. Pages by `page code`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipelines.emulator.simulator.shop import DISPLAY_NAME, HOST

_RANGES: dict[str, tuple[tuple[str, ...], tuple[int, ...]]] = {
    "Shirts": (("Linen Shirt", "Oxford Shirt", "Denim Shirt", "Boxy Tee", "Rib Tee"), (2490, 6490)),
    "Knitwear": (("Merino Crew", "Cable Cardigan", "Lambswool Vest", "Roll Neck", "Cotton Knit"),
                 (5990, 12990)),
    "Trousers": (("Slim Chino", "Wide Jeans", "Cord Trousers", "Pleated Pants", "Joggers"),
                 (4990, 10990)),
    "Jackets": (("Rain Shell", "Down Jacket", "Field Jacket", "Wool Coat", "Bomber"),
                (8990, 24990)),
    "Shoes": (("Court Sneaker", "Chelsea Boot", "Trail Runner", "Loafer", "Sandal"),
              (5990, 16990)),
    "Accessories": (("Leather Belt", "Canvas Tote", "Wool Scarf", "Beanie", "Card Holder"),
                    (1490, 5990)),
}  # fmt: skip
_COLOURS = ("Sand", "Navy")

CATEGORIES = tuple(_RANGES)
PAGE_TYPES = ("home", "collection", "product", "cart", "checkout", "other")
HOME, COLLECTION, PRODUCT, CART, CHECKOUT, OTHER = range(6)
LIST_SIZE = 8


@dataclass(frozen=True)
class Item:
    """One article; `price_cents` is its gross price in euro cents."""

    item_id: str
    name: str
    category: int
    price_cents: int


@dataclass(frozen=True)
class Page:
    """One address of the shop; `page_type` is a code of `PAGE_TYPES`."""

    location: str
    title: str
    page_type: int


def _items() -> tuple[Item, ...]:
    items: list[Item] = []
    for category, (models, (low, high)) in enumerate(_RANGES.values()):
        step = (high - low) // (len(models) * len(_COLOURS) - 1) // 100 * 100
        for position, (model, colour) in enumerate((m, c) for m in models for c in _COLOURS):
            sku = f"SKU-{category + 1}{position + 1:02d}"
            items.append(Item(sku, f"{model} {colour}", category, low + step * position))
    return tuple(items)


def _pages(items: tuple[Item, ...]) -> tuple[Page, ...]:
    fixed = [("/", DISPLAY_NAME, HOME)]
    fixed += [(f"/collections/{name.lower()}", name, COLLECTION) for name in CATEGORIES]
    fixed += [(f"/products/{item.item_id.lower()}", item.name, PRODUCT) for item in items]
    fixed += [("/cart", "Your cart", CART)]
    fixed += [(f"/checkout/{step}", f"Checkout: {step}", CHECKOUT) for step in CHECKOUT_STEPS]
    fixed += [(f"/pages/{name}", name.capitalize(), OTHER) for name in OTHER_PAGES]
    return tuple(Page(HOST + path, title, page_type) for path, title, page_type in fixed)


CHECKOUT_STEPS = ("contact", "delivery", "payment", "confirmation")
OTHER_PAGES = ("about", "delivery-and-returns", "stores", "journal")

ITEMS = _items()
PAGES = _pages(ITEMS)
ITEM_COUNT = len(ITEMS)

# First page code of each group, in the order `_pages` lays them out.
FIRST_COLLECTION = 1
FIRST_PRODUCT = FIRST_COLLECTION + len(CATEGORIES)
CART_PAGE = FIRST_PRODUCT + ITEM_COUNT
FIRST_CHECKOUT = CART_PAGE + 1
FIRST_OTHER = FIRST_CHECKOUT + len(CHECKOUT_STEPS)

PAGE_TYPE_OF_PAGE: NDArray[np.int64] = np.array([page.page_type for page in PAGES])
PRICE_CENTS: NDArray[np.int64] = np.array([item.price_cents for item in ITEMS] * 2)
CATEGORY_OF_ITEM: NDArray[np.int64] = np.array([item.category for item in ITEMS] * 2)
# A few articles sell, most do not: Zipf-like popularity, spread over the categories.
_RANK = 1.0 + np.arange(ITEM_COUNT, dtype=np.float64) * 7 % ITEM_COUNT
POPULARITY: NDArray[np.float64] = _RANK**-0.6 / np.sum(_RANK**-0.6)
