"""Products and pages that lose most, and carts that can be won back."""

from __future__ import annotations

from dataclasses import dataclass

ITEMS_SHOWN = 5
CARTS = """
    select carts, lost_carts, cart_abandonment_rate, cart_status, recovery_rate, recoverable_value,
        currency
    from marts.fct_cart_recovery
    where property_id = $property and window_name = $window and segment_name = 'all'
"""
PRODUCTS = f"""
    select item_name, step_label, units, previous_units, step_rate, shop_rate
    from marts.fct_product_funnel_window
    where property_id = $property and window_name = $window and not is_not_set
        and step_rate < shop_rate and q_value <= $false_discovery_rate
    order by previous_units * shop_rate - units desc, item_name limit {ITEMS_SHOWN}
"""
PAGES = f"""
    select page_path, sessions, bounced_sessions, bounce_rate from marts.fct_page_engagement
    where property_id = $property and window_name = $window and bounced_sessions > 0
        and page_path not in ('(other)', '(not set)', '')
    order by bounced_sessions desc, page_path limit {ITEMS_SHOWN}
"""


@dataclass(frozen=True)
class Carts:
    """Carts that ended without an order, and what reminders may win back of them."""

    carts: int | None
    lost_carts: int | None
    cart_abandonment_rate: float | None
    cart_status: str
    recovery_rate: float
    recoverable_value: float | None
    currency: str | None


@dataclass(frozen=True)
class Product:
    """A product that goes on surely less often than the shop's other ones, in units."""

    item_name: str
    step_label: str
    units: int | None
    previous_units: int | None
    step_rate: float
    shop_rate: float


@dataclass(frozen=True)
class Page:
    """A page, and the sessions that ended on it at once."""

    page_path: str
    sessions: int | None
    bounced_sessions: int
    bounce_rate: float | None
