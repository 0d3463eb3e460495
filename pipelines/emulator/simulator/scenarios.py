"""Scenarios: which leak is planted where, and what the shop does not send.

A leak multiplies the chance of one funnel step, for the sessions of one segment, from one date on.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import SluiceError


class SimulationError(SluiceError, ValueError):
    """A simulation was asked for that cannot be made; the message says what to change."""


@dataclass(frozen=True)
class Leak:
    """A planted leak; `days_before_end` of None means from the first day on."""

    name: str
    benchmark_key: str
    step_key: str
    multiplier: float
    segment_name: str = "all"
    segment_value: str = "all"
    days_before_end: int | None = None

    def start_date(self, start: date, days: int) -> date:
        """First local date the leak is open: its last `days_before_end` days, or all of them."""
        reach = days if self.days_before_end is None else min(self.days_before_end, days)
        return start + timedelta(days=days - reach)


@dataclass(frozen=True)
class Scenario:
    """A named shop: its planted leaks, the events that are never sent, and the share of orders
    whose purchase is sent by the shop's server, without a session.
    """

    name: str
    description: str
    leaks: tuple[Leak, ...] = ()
    missing_events: tuple[str, ...] = ()
    server_side_orders: float = 0.0


_ALL = (
    Scenario("none", "A healthy shop: every rate lies inside its benchmark."),
    Scenario(
        "mobile_payment_broken",
        "For the last 20 days hardly any mobile visitor gets through the payment step.",
        (
            Leak(
                name="mobile_payment_broken",
                benchmark_key="checkout_to_purchase_rate",
                step_key="purchase",
                multiplier=0.12,
                segment_name="device",
                segment_value="mobile",
                days_before_end=20,
            ),
        ),
    ),
    Scenario(
        "shipping_shock",
        "For the last 28 days delivery costs first shown in the cart drive visitors away there.",
        (
            Leak(
                "shipping_shock",
                "cart_to_checkout_rate",
                "checkout_start",
                0.45,
                days_before_end=28,
            ),
        ),
    ),
    Scenario(
        "weak_product_page",
        "Product pages do not convince: far too few of their visitors add anything to the cart.",
        (Leak("weak_product_page", "add_to_cart_rate", "add_to_cart", 0.40),),
    ),
    Scenario(
        "checkout_tag_missing",
        "The shop is healthy, but its begin_checkout event is never sent.",
        missing_events=("begin_checkout",),
    ),
    Scenario(
        "server_side_orders",
        "The shop is healthy, but nine of ten purchases are sent by its server, without a session.",
        server_side_orders=0.9,
    ),
)

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}


def find_scenario(name: str) -> Scenario:
    """The scenario of that name; `SimulationError` lists the names if there is none."""
    if name not in SCENARIOS:
        raise SimulationError(
            f"Unknown scenario {name!r}: choose one of {', '.join(sorted(SCENARIOS))}."
        )
    return SCENARIOS[name]
