"""Scenarios: which leak is planted where, and what the shop does not send.

A leak multiplies the chance of one funnel step, for the sessions of one part of the shop, from one
date on or between two.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from pipelines.errors import SluiceError


class SimulationError(SluiceError, ValueError):
    """A simulation was asked for that cannot be made; the message says what to change."""


@dataclass(frozen=True)
class Leak:
    """A planted leak: a step's chance times `multiplier` in the part of the shop where all
    conditions of `scope` (dimension, value) hold; () is the whole shop.

    `days_before_end` of None means from the first day on; `days_healed`: so many of the last days
    are sound again. `first` and `last` are dates instead.
    """

    name: str
    benchmark_key: str
    step_key: str
    multiplier: float
    scope: tuple[tuple[str, str], ...] = ()
    days_before_end: int | None = None
    days_healed: int = 0
    first: date | None = None
    last: date | None = None

    @property
    def segment(self) -> tuple[str, str]:
        """The first condition; all of `all` without one."""
        return self.scope[0] if self.scope else ("all", "all")

    def dates(self, start: date, days: int) -> tuple[date, date]:
        """First and last local date on which it is open, in a simulation of `days` from `start`."""
        reach = days if self.days_before_end is None else min(self.days_before_end, days)
        end = start + timedelta(days=days - 1)
        return (
            self.first or end - timedelta(days=reach - 1),
            self.last or end - timedelta(days=self.days_healed),
        )


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
                scope=(("device", "mobile"),),
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
        "paid_social_landing",
        "For the last 40 days visitors of Paid Social on mobile hardly add anything to the cart.",
        (
            Leak(
                "paid_social_landing",
                "add_to_cart_rate",
                "add_to_cart",
                0.10,
                scope=(("device", "mobile"), ("channel", "Paid Social")),
                days_before_end=40,
            ),
        ),
    ),
    Scenario(
        "payment_repaired",
        "Payment on mobile was broken for three weeks, and works again for the last 7 days.",
        (
            Leak(
                "payment_repaired",
                "checkout_to_purchase_rate",
                "purchase",
                0.12,
                scope=(("device", "mobile"),),
                days_before_end=28,
                days_healed=7,
            ),
        ),
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
