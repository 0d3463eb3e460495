"""Both cost budgets: points in a leaky bucket, and ShopifyQL's own by the window."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pipelines.emulator.shopify.faults import Budgets

# Points of a request: of a list by its page, else little.
LIST_POINTS, POINTS = 252, 10
SHOPIFYQL_COST = 10


class Purse:
    """What is left; time is the machine's, as a client waits by it."""

    def __init__(self, limits: Callable[[], Budgets], now: Callable[[], datetime]) -> None:
        self._limits, self._now = limits, now
        self._lock = threading.Lock()
        self._used, self._used_at = 0.0, now()
        self._spent, self._reset_at = 0.0, now()

    def pay(self, about: str) -> tuple[bool, dict[str, Any]]:
        """Whether the request is answered, and the `extensions` that tell of both budgets."""
        limits, now = self._limits(), self._now()
        price = float(LIST_POINTS if about == "checkouts" else POINTS)
        cost = float(SHOPIFYQL_COST if about in {"sessions", "sales"} else 0)
        with self._lock:
            leaked = (now - self._used_at).total_seconds() * limits.restore_rate
            self._used, self._used_at = max(0.0, self._used - leaked), now
            if now >= self._reset_at:
                self._spent = 0.0
                self._reset_at = now + timedelta(seconds=limits.window_seconds)
            is_paid = self._used + price <= limits.points and (
                not cost or self._spent + cost <= limits.shopifyql
            )
            if is_paid:
                self._used, self._spent = self._used + price, self._spent + cost
            told: dict[str, Any] = {
                "cost": {
                    "requestedQueryCost": price,
                    "actualQueryCost": price if is_paid else None,
                    "throttleStatus": {
                        "maximumAvailable": limits.points,
                        "currentlyAvailable": limits.points - self._used,
                        "restoreRate": limits.restore_rate,
                    },
                }
            }
            if cost:
                told["shopifyqlCost"] = {
                    "requestedQueryCost": cost,
                    "currentlyAvailable": limits.shopifyql - self._spent,
                    "maximumAvailable": limits.shopifyql,
                    "windowResetAt": self._reset_at.astimezone(UTC).isoformat(),
                }
            return is_paid, told
