"""A shop whose truth is written by hand, behind the emulator of Shopify."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

FIRST = date(2026, 6, 1)
TIME_ZONE, CURRENCY = "Europe/Berlin", "EUR"
# Device → sessions, and those with a cart, a checkout and an order, of every day.
CELLS = {"desktop": (100, 50, 40, 25), "mobile": (300, 100, 160, 50)}
KEYS = ("add_to_cart", "checkout_start", "purchase")


def write_truth(
    folder: Path, days: int, cells: Mapping[str, tuple[int, ...]] | None = None
) -> Path:
    """`days` equal days from FIRST on; 75 orders of 50 each a day unless `cells` say otherwise."""
    own = CELLS if cells is None else cells
    dates = [(FIRST + timedelta(days=number)).isoformat() for number in range(days)]
    orders = sum(counts[3] for counts in own.values())
    whole = [
        [day, "all", "all", sum(c[0] for c in own.values()), orders, 50.0 * orders] for day in dates
    ]
    parts = [
        [day, "device", device, counts[0], counts[3], 50.0 * counts[3]]
        for day in dates
        for device, counts in own.items()
    ]
    keys = [
        [day, "device", device, key, count, count]
        for day in dates
        for device, counts in own.items()
        for key, count in zip(KEYS, counts[1:], strict=True)
    ]
    truth = {
        "sessions": {
            "columns": [
                "date", "segment_name", "segment_value", "sessions", "transactions",
                "purchase_revenue",
            ],
            "rows": [*whole, *parts],
        },
        "keys": {
            "columns": ["date", "segment_name", "segment_value", "key", "events", "sessions"],
            "rows": keys,
        },
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    about = {"time_zone": TIME_ZONE, "currency_code": CURRENCY}
    (folder / "property.json").write_text(json.dumps(about), encoding="utf-8")
    return folder
