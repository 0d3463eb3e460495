"""What Shopify counts of the same shop, beside GA4: two counts that are compared, never added."""

from __future__ import annotations

from pipelines.report import formatting
from pipelines.report.components import Section, Table, columns
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.shopify import Ratio, ShopSales, ShopStep
from pipelines.wording import counted, words

_ALL = "all"
_OPEN = (
    "An open funnel: a session may come to the checkout without adding anything to the cart, so a "
    "step may have more than the one before. Shares are of all sessions of the same device."
)
_WHY = (
    "Shopify counts on its own platform; GA4 needs its tag, consent and no blocker. What matters "
    "is whether GA4's part of Shopify's count stays what it was: where it moves, a tag or the "
    "consent changed, and rates of GA4 are of other visitors."
)
_CHANGE = (
    "Shopify changed what a session is between 21 and 23 September 2026; days before are not "
    "compared with days after, and only days counted like the newest ones are in these numbers."
)


def shopify_section(shop: PropertyData) -> Section | None:
    """The funnel of Shopify, what GA4 has of it, and its orders; None without Shopify."""
    failed = tuple(
        f"{formatting.key_words(one.table_name)} could not be fetched on "
        f"{formatting.day(one.fetched_at.date())}"
        + (f" (last on {formatting.day(one.loaded_at.date())})" if one.loaded_at else "")
        + f": {one.message}"
        for one in shop.failed_fetches
    )
    if not shop.shop_steps:
        return Section("Shopify", failed) if failed else None
    return Section(
        "Shopify",
        (
            *failed,
            *shop.left_out_words("shopify"),
            *_said(shop.shop_steps),
            *_ratio_words(shop.ratios),
            *_sales_words(shop.shop_sales),
        ),
        tables=(_funnel(shop.shop_steps), *_ratio_table(shop.ratios)),
        notes=(
            _OPEN,
            *((_WHY,) if shop.ratios else ()),
            *((_CHANGE,) if shop.shop_steps[0].definition != "until_midnight" else ()),
        ),
    )


def _said(steps: tuple[ShopStep, ...]) -> tuple[str, ...]:
    whole = [step for step in steps if step.device == _ALL]
    last = whole[-1]
    origin = ", from dropped reports" if last.is_csv else ""
    return (
        f"{last.shop}{origin}, {formatting.day(last.first_date)} to "
        f"{formatting.day(last.last_date)}: of {counted(last.all_sessions, 'session')} "
        f"{formatting.count(last.sessions)} "
        f"({formatting.percent(_share(last))}) completed the checkout.",
    )


def _share(step: ShopStep) -> float | None:
    return step.sessions / step.all_sessions if step.all_sessions else None


def _ratio_words(ratios: tuple[Ratio, ...]) -> tuple[str, ...]:
    """One sentence on the level, and one on what moved."""
    if not ratios:
        return ()
    first, last = ratios[0], ratios[-1]
    level = (
        f"GA4 has {formatting.rate_of(_ratio(first), first.ga4_sessions, first.shopify_sessions)} "
        f"of Shopify's sessions"
    )
    if last is not first:
        level += (
            f", and {formatting.rate_of(_ratio(last), last.ga4_sessions, last.shopify_sessions)} "
            f"of those with the step “{words(last.step_key)}”"
        )
    moved = [one for one in ratios if one.moved_days]
    if moved:
        named = " and ".join(
            f"“{words(one.step_key)}” on {counted(one.moved_days, 'day')}" for one in moved
        )
        change = f"The ratio moved at {named}: see Alerts for the likely causes."
    elif any(one.judged_days for one in ratios):
        change = "No ratio moved."
    else:
        change = (
            "Whether that is usual can be told once there are six weeks of both, and 100 sessions "
            "in seven days."
        )
    return (f"{level}. {change}",)


def _ratio(one: Ratio) -> float | None:
    return one.ga4_sessions / one.shopify_sessions if one.shopify_sessions else None


def _sales_words(sales: ShopSales | None) -> tuple[str, ...]:
    if sales is None:
        return ()
    said = []
    if sales.orders is not None:
        said.append(
            f"The online store had {counted(sales.orders, 'order')}"
            f"{_worth(sales.total_sales, sales.currency)} on {counted(sales.order_days, 'day')}."
        )
    if sales.abandoned:
        share = (sales.recovered or 0) / sales.abandoned
        said.append(
            f"{counted(sales.abandoned, 'checkout')} with contact data"
            f"{_worth(sales.abandoned_value, sales.currency)} were left on "
            f"{counted(sales.checkout_days, 'day')}; "
            f"{formatting.rate_of(share, sales.recovered, sales.abandoned)} came back."
        )
    return (" ".join(said),) if said else ()


def _worth(value: float | None, currency: str | None) -> str:
    """Nothing where it is not known, or of several currencies."""
    return "" if value is None else f" worth {formatting.amount(value, currency)}"


def _funnel(steps: tuple[ShopStep, ...]) -> Table:
    devices = [name for name in dict.fromkeys(step.device for step in steps) if name != _ALL]
    found = {(step.step_key, step.device): step for step in steps}
    rows = []
    for key in dict.fromkeys(step.step_key for step in steps):
        cells = [found.get((key, device)) for device in (_ALL, *devices)]
        rows.append((formatting.key_words(key), *(_cell(step) for step in cells)))
    return Table(
        "Shopify's funnel: sessions that reached the step",
        columns("Step", "#All", *(f"#{formatting.key_words(name)}" for name in devices)),
        tuple(rows),
    )


def _cell(step: ShopStep | None) -> str:
    if step is None:
        return formatting.NOTHING
    return formatting.rate_of(_share(step), step.sessions, step.all_sessions)


def _ratio_table(ratios: tuple[Ratio, ...]) -> tuple[Table, ...]:
    if not ratios:
        return ()
    days = f"{formatting.day(ratios[0].first_date)} to {formatting.day(ratios[0].last_date)}"
    return (
        Table(
            f"What GA4 has of Shopify's count, {days}, on the days that both have whole",
            columns("Step", "#Shopify", "#GA4", "#GA4 of Shopify", "#Usually", "#Days", "#Moved"),
            tuple(
                (
                    formatting.key_words(one.step_key),
                    formatting.count(one.shopify_sessions),
                    formatting.count(one.ga4_sessions),
                    formatting.percent(_ratio(one)),
                    formatting.percent(one.usual_ratio),
                    formatting.count(one.days),
                    formatting.count(one.moved_days),
                )
                for one in ratios
            ),
        ),
    )
