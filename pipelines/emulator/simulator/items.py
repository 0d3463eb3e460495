"""The items array of a batch: one struct per item line an event carries."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from pipelines.emulator.simulator import arrow
from pipelines.emulator.simulator.catalogue import (
    CATEGORIES,
    CATEGORY_OF_ITEM,
    ITEM_COUNT,
    ITEMS,
    PRICE_CENTS,
)
from pipelines.emulator.simulator.events import CODES, Batch, code_table
from pipelines.emulator.simulator.schema import ITEM

NOT_SET = "(not set)"
BRAND = "Hafen & Co"
ITEM_IDS = (*(item.item_id for item in ITEMS), NOT_SET)
ITEM_NAMES = tuple(item.name for item in ITEMS)
_LIST_EVENTS = ("view_item_list", "select_item")


def event_items(batch: Batch) -> pa.Array:
    """items per event row; empty lists where an event has none."""
    owner, rows = batch.line_rows()
    item = batch.lines.item[rows]
    quantity = batch.lines.quantity[rows]
    price_cents = PRICE_CENTS[item]
    code = batch.events.code[owner]
    not_bought = code != CODES["purchase"]
    category = CATEGORY_OF_ITEM[item]
    not_listed = ~code_table(_LIST_EVENTS)[code]
    count = len(rows)
    structs = arrow.struct(
        ITEM,
        {
            "item_id": arrow.text(np.minimum(item, ITEM_COUNT), ITEM_IDS),
            "item_name": arrow.text(item % ITEM_COUNT, ITEM_NAMES),
            "item_brand": arrow.constant(BRAND, count),
            "item_category": arrow.text(category, CATEGORIES),
            "price": pa.array(price_cents / 100),
            "quantity": pa.array(quantity, mask=quantity == 0),
            "item_revenue": pa.array(price_cents * quantity / 100, mask=not_bought),
            "item_list_name": arrow.text(category, CATEGORIES, absent=not_listed),
        },
        count,
    )
    return pa.ListArray.from_arrays(arrow.offsets(batch.events.line_count), structs)
