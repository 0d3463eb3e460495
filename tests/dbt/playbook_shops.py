"""One hand-made shop a rule of the diagnosis playbook, all in one warehouse.

Every shop has 35 equal days of old, and then 28 on which its own trouble shows. Both devices do the
same, unless a shop says otherwise. All steps of the checkout keep their shares where the number of
carts changes: 9 carts go on as 45 did.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

import pyarrow as pa

from pipelines.config.tracking_plan import load_plan
from tests.dbt.warehouse import REPORTS, Warehouse

LAST = date(2026, 3, 31)
DAYS = [LAST - timedelta(days=ago) for ago in range(62, -1, -1)]
NEW = frozenset(DAYS[35:])

# Sessions of one device on one day: 7.5 % add to cart, 56 % of the carts go to the checkout, and
# 60 % of the checkouts end in an order.
USUAL = {
    "sessions": 1000, "home_view": 400, "home_scroll_fold": 240, "navigation_click": 120,
    "list_view": 500, "product_click": 250, "filter_use": 100, "product_view": 600,
    "gallery": 180, "video_play": 60, "variant_select": 150, "read_more": 90,
    "review_scroll": 120, "add_to_cart": 45, "cart_view": 40, "checkout_start": 25,
    "contact_done": 20, "delivery_done": 20, "payment_reached": 20, "payment_method": 20,
    "purchase": 15, "email_capture": 20,
}  # fmt: skip
CHECKOUT_STEPS = ("contact_done", "delivery_done", "payment_reached", "payment_method")
# A fifth of the carts, and a fifth of all that follows.
FEW_CARTS = {
    key: USUAL[key] // 5 for key in ("add_to_cart", "cart_view", "checkout_start", "purchase")
} | dict.fromkeys(CHECKOUT_STEPS, 4)
# Of 25 checkouts 16 go on, and three in four of them end in an order, as ever.
FROM_CONTACT = {**dict.fromkeys(CHECKOUT_STEPS, 16), "purchase": 12}
# Too few carts for reminders: 4 a day, of which 1 (on a phone) becomes an order.
TINY = {**dict.fromkeys(USUAL, 0), "sessions": 40, "product_view": 24, "add_to_cart": 2}
TINY_MOBILE = dict.fromkeys((*CHECKOUT_STEPS, "checkout_start", "purchase"), 1)


@dataclass(frozen=True)
class Shop:
    """What is different about a shop: always, on its last 28 days, and then on phones only."""

    always: dict[str, int] = field(default_factory=dict)
    lately: dict[str, int] = field(default_factory=dict)
    lately_mobile: dict[str, int] = field(default_factory=dict)
    always_mobile: dict[str, int] = field(default_factory=dict)
    seconds_per_view: int = 60
    engaged: int = 900

    def device(self, device: str, day: date) -> dict[str, int]:
        mobile = device == "mobile"
        return {
            **USUAL,
            **self.always,
            **(self.always_mobile if mobile else {}),
            **(self.lately if day in NEW else {}),
            **(self.lately_mobile if mobile and day in NEW else {}),
        }


PLAN = load_plan()
BOTH = ("all", "mobile", "desktop")
# Rule -> its shop, and exactly what fires there, but for fallbacks: (rule, part of the shop).
SHOPS: dict[str, tuple[Shop, set[tuple[str, str]]]] = {
    "none": (Shop(), set()),
    "T1": (Shop(always={"checkout_start": 0}), {("T1", "all")}),
    "H1": (Shop(lately={"home_scroll_fold": 120}), {("H1", part) for part in BOTH}),
    "H2": (Shop(lately={"navigation_click": 60}), {("H2", part) for part in BOTH}),
    "C1": (Shop(lately={"product_click": 150}), {("C1", part) for part in BOTH}),
    "C2": (
        Shop(lately={"product_click": 150, "filter_use": 200}),
        {(rule, part) for part in BOTH for rule in ("C1", "C2")},
    ),
    "P1": (Shop(lately={**FEW_CARTS, "review_scroll": 240}), {("P1", part) for part in BOTH}),
    "P2": (Shop(lately=FEW_CARTS, seconds_per_view=90), {("P2", "all")}),
    "P3": (Shop(lately=FEW_CARTS, engaged=600), {("P3", "all")}),
    "P4": (Shop(lately_mobile=FEW_CARTS), {("P4", "mobile")}),
    # Nothing but the benchmark stands out: a fallback.
    "P6": (Shop(lately=FEW_CARTS), set()),
    "P5": (Shop(lately={"gallery": 90}), {("P5", part) for part in BOTH}),
    # Of 112 carts 84 are lost, less than 100; phones go on with every second one, in the range.
    "K1": (Shop(always=TINY, always_mobile=TINY_MOBILE), {("K1", "all"), ("K1", "desktop")}),
    "K2": (
        Shop(lately={"checkout_start": 10, **dict.fromkeys(CHECKOUT_STEPS, 8), "purchase": 6}),
        {(rule, part) for part in BOTH for rule in ("K1", "K2")},
    ),
    "X0": (
        Shop(
            always=dict.fromkeys(CHECKOUT_STEPS, 0),
            lately={"add_to_cart": 90, "cart_view": 80, "checkout_start": 50},
        ),
        {("X0", part) for part in BOTH},
    ),
    "X1": (Shop(lately=FROM_CONTACT), {("X1", part) for part in BOTH}),
    "X2": (Shop(lately={**FROM_CONTACT, "contact_done": 20}), {("X2", part) for part in BOTH}),
    "X3": (Shop(lately={"purchase": 10}), {("X3", part) for part in BOTH}),
    "X4": (
        Shop(lately_mobile={"purchase": 10}),
        {("X3", "all"), ("X3", "mobile"), ("X4", "mobile")},
    ),
}
PROPERTIES = {name: str(number) for number, name in enumerate(SHOPS, start=101)}


def fill(warehouse: Warehouse) -> None:
    """All shops with all their days, in a few statements."""
    tables: dict[str, list[dict[str, object]]] = {}
    for name, (shop, _) in SHOPS.items():
        warehouse.add_property(PROPERTIES[name], "Europe/Berlin")
        for day in DAYS:
            mobile, desktop = shop.device("mobile", day), shop.device("desktop", day)
            whole = {key: mobile[key] + desktop[key] for key in USUAL}
            common = {"property_id": PROPERTIES[name], "date": day}
            _add_cell(tables, "all", whole, common)
            _add_cell(tables, "device", mobile, {**common, "device_category": "mobile"})
            _add_cell(tables, "device", desktop, {**common, "device_category": "desktop"})
            tables.setdefault("raw.ga4_pages", []).append(_product_page(shop, day, whole, common))
            if name == "P6" and day in NEW:
                _add_details(tables, common)
        warehouse.query(
            "insert into ops.pulls (pull_id, property_id, report, report_version, date, status, "
            "row_count, totals, currency, time_zone, pulled_at) "
            "select 'pull', ?, reports.report, 1, days.date, 'loaded', 1, '{}', 'EUR', "
            "'Europe/Berlin', timestamptz '2026-04-01 05:30:00+00' "
            "from (select unnest(?) as report) as reports, (select unnest(?) as date) as days",
            [PROPERTIES[name], REPORTS, DAYS],
        )
    for table, rows in tables.items():
        warehouse.append(table, pa.Table.from_pylist(rows))


def _add_cell(
    tables: dict[str, list[dict[str, object]]],
    segment: str,
    counts: dict[str, int],
    common: dict[str, object],
) -> None:
    """The three reports of one segment value on one day; each session has an event twice."""
    orders = counts["purchase"]
    tables.setdefault(f"raw.ga4_sessions_by_{segment}", []).append(
        {
            **common,
            "sessions": counts["sessions"],
            "transactions": orders,
            "purchase_revenue": 50.0 * orders,
        }
    )
    for micro in PLAN.micro_conversions:
        if not (count := counts.get(micro.key, 0)):
            continue
        report, column, value = ("events", "event_name", micro.event_names[0])
        if micro.is_composite:
            report, column, value = ("micro", "micro_key", micro.key)
        tables.setdefault(f"raw.ga4_{report}_by_{segment}", []).append(
            {**common, column: value, "event_count": 2 * count, "sessions": count}
        )


def _add_details(tables: dict[str, list[dict[str, object]]], common: dict[str, object]) -> None:
    """A day's products and landing pages: of mug and /sale half as many views end in the cart."""
    products = {"mug": (200, 2), **{f"product {number}": (100, 2) for number in range(1, 10)}}
    for name, (viewed, added) in products.items():
        item = {"item_id": name, "item_name": name, "item_revenue": 0.0}
        units = {"items_viewed": viewed, "items_added_to_cart": added}
        none = {"items_checked_out": 0, "items_purchased": 0}
        tables.setdefault("raw.ga4_items", []).append({**common, **item, **units, **none})
    for path, views in {"/sale": 600, "/a": 300, "/b": 300}.items():
        counts = {"sessions": 2 * views, "product_view": views, "add_to_cart": 6, "purchase": 0}
        _add_cell(tables, "landing_page", counts, {**common, "landing_page": path})


def _product_page(
    shop: Shop, day: date, whole: dict[str, int], common: dict[str, object]
) -> dict[str, object]:
    """All product pages as one: as many views as view_item events."""
    views = 2 * whole["product_view"]
    return {
        **common,
        "page_path": "/products/mug",
        "screen_page_views": views,
        "sessions": whole["product_view"],
        "engaged_sessions": whole["product_view"] * (shop.engaged if day in NEW else 900) // 1200,
        "user_engagement_duration": float(views * (shop.seconds_per_view if day in NEW else 60)),
    }
