"""The four figures that every shop looks at first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.report import formatting
from pipelines.report.charts import Stretch, trend_of
from pipelines.report.components import Figure
from pipelines.report.page_data import PropertyData, Window
from pipelines.report.rows.sales import Sales
from pipelines.wording import counted


@dataclass(frozen=True)
class _Kind:
    """A figure, the field of a window or week that has it, and how it is written."""

    label: str
    field: str
    write: Callable[[float | None], str]


def figures(shop: PropertyData, window: Window) -> tuple[Figure, ...]:
    """Revenue, orders, conversion and order value; none where no day is known."""
    sales = window.sales
    if sales is None:
        return ()

    def money(value: float | None) -> str:
        return formatting.amount(value, sales.currency) if sales.currency else formatting.NOTHING

    kinds = (
        _Kind("Revenue", "revenue", money),
        _Kind("Orders", "orders", formatting.count),
        _Kind("Conversion", "conversion", formatting.percent),
        _Kind("Order value", "order_value", money),
    )
    return tuple(_figure(shop, window, sales, kind) for kind in kinds)


def _figure(shop: PropertyData, window: Window, sales: Sales, kind: _Kind) -> Figure:
    weeks = [Stretch(week.start, week.end, getattr(week, kind.field)) for week in shop.sales_weeks]
    newest = weeks[-1].value if weeks else None
    words = f"{kind.label}, {counted(len(weeks), 'week')}; the newest: {kind.write(newest)}."
    value = kind.write(getattr(sales, kind.field))
    return Figure(kind.label, value, _change(window, sales, kind), trend_of(weeks, words))


def _change(window: Window, sales: Sales, kind: _Kind) -> str:
    """Against the window before, where both are whole."""
    now, prior = getattr(sales, kind.field), getattr(sales, f"prior_{kind.field}")
    if now is None:
        return "not known"
    if sales.days < window.days:
        return f"in {counted(sales.days, 'day')}"
    if not prior:
        return f"{window.days} days before: not known"
    if now == prior:
        return "as before"
    sign = "▲" if now > prior else "▼"
    return f"{sign} {formatting.relative(now / prior - 1)} from {kind.write(prior)}"
