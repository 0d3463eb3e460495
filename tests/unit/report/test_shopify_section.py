"""What the page says of Shopify's count and of GA4's part of it."""

from dataclasses import replace
from datetime import UTC, date, datetime

from pipelines.report.components import Section
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.shopify import FailedFetch, Ratio, ShopSales, ShopStep
from pipelines.report.sections.shopify_section import shopify_section
from tests.support.empty_page import EMPTY

FIRST, LAST = date(2026, 6, 3), date(2026, 6, 30)


def step(key: str, device: str, sessions: int, whole: int, **more: object) -> ShopStep:
    known = {"definition": "until_midnight", "is_csv": False, **more}
    return ShopStep("a.myshopify.com", key, device, sessions, whole, FIRST, LAST, **known)


STEPS = (
    step("sessions", "all", 1000, 1000),
    step("sessions", "mobile", 600, 600),
    step("purchase", "all", 20, 1000),
)
RATIO = Ratio("purchase", "data_api", 20, 15, 0.8, 28, 0, 28, FIRST, LAST)


def section(**rows: object) -> Section:
    found = shopify_section(replace(EMPTY, **rows))
    assert found is not None
    return found


def words(part: Section) -> str:
    return " ".join((*part.summary, *part.notes)).replace("\u00a0", " ")


def test_without_shopify_there_is_no_section() -> None:
    assert shopify_section(EMPTY) is None


def test_a_share_stands_with_its_sessions_and_a_device_that_is_missing_is_a_dash() -> None:
    told = section(shop_steps=STEPS)
    assert "of 1,000 sessions 20 (2.0 %) completed the checkout." in words(told)
    (table,) = told.tables
    cells = [tuple(str(cell).replace("\u00a0", " ") for cell in row) for row in table.rows]
    assert cells == [
        ("Sessions", "100.0 % (1,000 of 1,000)", "100.0 % (600 of 600)"),
        ("Purchase", "2.0 % (20 of 1,000)", "–"),
    ]
    assert "Shopify changed" not in words(told)
    newer = tuple(replace(one, definition="until_idle") for one in STEPS)
    assert "Shopify changed what a session is" in words(section(shop_steps=newer))


def test_the_ratio_is_told_with_both_counts_and_whether_it_moved() -> None:
    first = replace(RATIO, step_key="sessions", shopify_sessions=1000, ga4_sessions=800)
    told = words(section(shop_steps=STEPS, ratios=(first, RATIO)))
    assert "GA4 has 80.0 % (800 of 1,000) of Shopify's sessions, and 75.0 % (15 of 20)" in told
    assert "No ratio moved." in told
    moved = words(section(shop_steps=STEPS, ratios=(first, replace(RATIO, moved_days=2))))
    assert "The ratio moved at “purchase” on 2 days" in moved
    young = (replace(first, judged_days=0), replace(RATIO, judged_days=0))
    assert "once there are six weeks of both" in words(section(shop_steps=STEPS, ratios=young))
    nobody = replace(RATIO, shopify_sessions=0, ga4_sessions=0)
    assert "GA4 has – of Shopify's" in words(section(shop_steps=STEPS, ratios=(nobody,)))


def test_orders_and_checkouts_say_on_how_many_days_they_are_known() -> None:
    sales = ShopSales(84, 4200.0, 87, 9, 6030.0, "EUR", 28, 27)
    told = words(section(shop_steps=STEPS, shop_sales=sales))
    assert "The online store had 84 orders worth €4,200 on 28 days." in told
    assert "87 checkouts with contact data worth €6,030 were left on 27 days" in told
    assert "10.3 % (9 of 87) came back." in told
    unknown = ShopSales(None, None, None, None, None, None, 0, 0)
    assert "orders" not in " ".join(section(shop_steps=STEPS, shop_sales=unknown).summary)


def test_what_could_not_be_fetched_is_said_also_where_nothing_else_is_known() -> None:
    at = datetime(2026, 7, 1, 4, tzinfo=UTC)
    failed = FailedFetch("shopify_sales", "It is shut.", at, None)
    assert words(section(failed_fetches=(failed,))) == (
        "Shopify sales could not be fetched on 1 Jul 2026: It is shut."
    )
    once = replace(failed, loaded_at=datetime(2026, 6, 30, 4, tzinfo=UTC))
    assert "(last on 30 Jun 2026): It is shut." in words(
        section(shop_steps=STEPS, failed_fetches=(once,))
    )


def test_the_data_of_a_page_has_no_shopify_by_default() -> None:
    assert isinstance(EMPTY, PropertyData)
    assert EMPTY.shop_steps == EMPTY.ratios == EMPTY.failed_fetches == ()
