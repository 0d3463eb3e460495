"""What Shopify would count of a simulated shop: the truth, and those whom no tag of GA4's sees.

The relation is closed, so that a test can work it out: up to any date Shopify has of a device
`whole + hidden(whole, percent)` sessions at a step, `whole` being the truth's up to that date, but
on no day more than sessions.
Visitors who deny consent or block scripts are the simulator's over again, not other events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines.emulator.simulated_shop import SimulatedShop

# Metric of ShopifyQL → the key of the truth, and how many more than GA4 Shopify sees, in percent.
STEPS = {
    "sessions": ("sessions", 25),
    "sessions_with_cart_additions": ("add_to_cart", 18),
    "sessions_that_reached_checkout": ("checkout_start", 15),
    "sessions_that_completed_checkout": ("purchase", 12),
}
HIDDEN_ORDERS = 12
# Identified bots beside a hundred sessions; they do nothing but come.
BOTS = 30
# Orders at the till, which `sales` has, too.
TILL_ORDERS = 5
TILL_AMOUNT = 20.0
# Of a hundred checkouts that are left, so many had an address typed; one in ten comes back.
ADDRESSED, RECOVERED_EVERY = 60, 10


@dataclass(frozen=True)
class ShopCounts:
    """Tables of ShopifyQL as rows, and single checkouts; `zone`, `currency`: the shop's own."""

    sessions: list[dict[str, Any]]
    sales: list[dict[str, Any]]
    checkouts: list[dict[str, Any]]
    zone: ZoneInfo
    currency: str


def hidden(whole: int, percent: int) -> int:
    """So many more, rounded half up."""
    return (whole * percent + 50) // 100


def read_counts(folder: Path) -> ShopCounts:
    """From the truth beside simulated events; raises EmulatorError without one."""
    shop = SimulatedShop.read(folder)
    cells = _cells(shop)
    checkouts = _checkouts(cells, shop.zone, shop.currency)
    return ShopCounts(_sessions(cells), _sales(shop), checkouts, shop.zone, shop.currency)


def _cells(shop: SimulatedShop) -> dict[tuple[str, str], dict[str, int]]:
    """(date, device) → key → sessions, by the truth."""
    cells: dict[tuple[str, str], dict[str, int]] = {}
    for row in shop.rows("sessions", "device"):
        cells.setdefault((row["date"], row["segment_value"]), {})["sessions"] = row["sessions"]
    for row in shop.rows("keys", "device"):
        cells.setdefault((row["date"], row["segment_value"]), {})[row["key"]] = row["sessions"]
    return cells


class _Seen:
    """Counts with those whom the truth does not have: rounded so that no day's rest is lost."""

    def __init__(self) -> None:
        self._so_far: Counter[tuple[str, ...]] = Counter()

    def more(self, count: int, percent: int, *name: str) -> int:
        """The hidden ones of the next day of what is called `name`."""
        before = self._so_far[name]
        self._so_far[name] += count
        return hidden(before + count, percent) - hidden(before, percent)


def _sessions(cells: Mapping[tuple[str, str], Mapping[str, int]]) -> list[dict[str, Any]]:
    found, seen = [], _Seen()
    for (day, device), whole in sorted(cells.items()):
        common = {"day": date.fromisoformat(day), "session_device_type": device}
        counts = {
            metric: whole.get(key, 0) + seen.more(whole.get(key, 0), percent, device, key)
            for metric, (key, percent) in STEPS.items()
        }
        # Of a few sessions the rounding may give a step more than there are, which no shop has.
        counts = {metric: min(count, counts["sessions"]) for metric, count in counts.items()}
        bots = dict.fromkeys(STEPS, 0)
        bots["sessions"] = seen.more(whole.get("sessions", 0), BOTS, device, "bots")
        found.append({**common, "human_or_bot_session": "human", **counts})
        found.append({**common, "human_or_bot_session": "bot", **bots})
    return found


def _sales(shop: SimulatedShop) -> list[dict[str, Any]]:
    found, seen = [], _Seen()
    for row in sorted(shop.rows("sessions", "all"), key=lambda one: str(one["date"])):
        day, orders = date.fromisoformat(row["date"]), row["transactions"]
        more = seen.more(orders, HIDDEN_ORDERS, "orders")
        value = row["purchase_revenue"] / orders if orders else 0.0
        for channel, count, amount in (
            ("Online Store", orders + more, row["purchase_revenue"] + more * value),
            ("Point of Sale", TILL_ORDERS, TILL_ORDERS * TILL_AMOUNT),
        ):
            found.append(
                {
                    "day": day, "sales_channel": channel, "orders": count,
                    "net_sales": round(amount / 1.19, 2), "total_sales": round(amount, 2),
                }
            )  # fmt: skip
    return found


def _checkouts(
    cells: Mapping[tuple[str, str], Mapping[str, int]], zone: ZoneInfo, currency: str
) -> list[dict[str, Any]]:
    """Every checkout that was left, spread evenly over its day; in the order of their times."""
    left: dict[str, int] = {}
    for row in _sessions(cells):
        number = row["sessions_that_reached_checkout"] - row["sessions_that_completed_checkout"]
        day = row["day"].isoformat()
        left[day] = left.get(day, 0) + max(number, 0)
    found = []
    for day, number in sorted(left.items()):
        count = number * ADDRESSED // 100
        start = datetime.combine(date.fromisoformat(day), time(0, 5), zone)
        for place in range(count):
            created = start + timedelta(minutes=place * 1420 // count)
            is_back = place % RECOVERED_EVERY == 0
            found.append(
                {
                    "id": f"gid://shopify/AbandonedCheckout/{day}-{place}",
                    "created": created,
                    "completed": created + timedelta(hours=5) if is_back else None,
                    "amount": f"{40 + place % 7 * 10}.00",
                    "currency": currency,
                    "email": f"visitor{place}@example.com",
                }
            )
    return found
