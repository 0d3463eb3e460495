"""Products and pages that lose most, and carts that can be won back."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.components import Box
from pipelines.report.page_data import Window
from pipelines.report.rows.items import Carts, Page, Product


def boxes(window: Window) -> tuple[Box, ...]:
    """What is known of each."""
    if not window.whole:
        return ()
    return (
        Box(
            "Products",
            "Surely below the shop's own rate; in units."
            if window.products
            else "No product is surely below the shop's own rate.",
            tuple((one.item_name, _product(one)) for one in window.products),
        ),
        Box(
            "Pages",
            "Where most visits end at once."
            if window.pages
            else "No visit is known to have ended at once on a page.",
            tuple((one.page_path, _page(one)) for one in window.pages),
        ),
        Box("Carts to win back", _carts(window.carts)),
    )


def _product(one: Product) -> str:
    rate = formatting.rate_of(one.step_rate, one.units, one.previous_units)
    return f"{one.step_label}: {rate}, shop {formatting.percent(one.shop_rate)}"


def _page(one: Page) -> str:
    return formatting.rate_of(one.bounce_rate, one.bounced_sessions, one.sessions)


def _carts(carts: Carts | None) -> str:
    if carts is None or carts.lost_carts is None or carts.cart_abandonment_rate is None:
        state = carts.cart_status if carts else None
        return f"Not known: {formatting.state_words(state)}."
    lost = (
        f"{formatting.count(carts.lost_carts)} of {formatting.count(carts.carts)} carts ended "
        f"without an order ({formatting.percent(carts.cart_abandonment_rate)})."
    )
    if carts.recoverable_value is None:
        return lost
    worth = formatting.amount(carts.recoverable_value, carts.currency)
    share = formatting.whole_percent(carts.recovery_rate)
    return f"{lost} If reminders win back {share} of them (a house figure): about {worth}."
