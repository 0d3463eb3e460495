"""What docs/tracking.md and a container promise of a browser: the pixel's code, and selectors."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from pipelines.config.tracking_plan import TriggerKind
from pipelines.gtm.events import SentEvent
from pipelines.gtm.triggers import trigger_of
from pipelines.reference_docs.tracking_document import TARGET
from tests.browser.chromium import Opened, open_page

(PIXEL,) = re.findall(r"```js\n(const ID.*?)```", TARGET.read_text(encoding="utf-8"), re.DOTALL)
# Shopify hands `analytics` to a pixel; whoever subscribed is called with what it publishes.
BUS = """
const subscribed = {};
const analytics = {subscribe: (name, call) => { (subscribed[name] ??= []).push(call); }};
"""
PLACE = {"pathname": "/products/shirt", "href": "https://shop.example/products/shirt"}
SHIRT = {
    "title": "Blue / M", "price": {"amount": 49, "currencyCode": "EUR"},
    "product": {"id": "7", "title": "Linen shirt"},
}  # fmt: skip
SENT_ITEM = {
    "item_id": "7", "item_name": "Linen shirt", "item_variant": "Blue / M", "price": 49,
}  # fmt: skip
LINE = {
    "merchandise": SHIRT,
    "quantity": 2,
    "cost": {"totalAmount": {**SHIRT["price"], "amount": 98}},
}
PAGE = {
    "page_location": PLACE["href"], "page_referrer": "", "page_title": "Shirt",
    "page_type": "product",
}  # fmt: skip


@pytest.fixture(scope="module")
def blank(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    file: Path = tmp_path_factory.mktemp("blank") / "blank.html"
    file.write_text("<!doctype html><title>Pixel</title>", encoding="utf-8")
    with open_page(browser, file) as opened:
        # GA4's library, which there is no network to get.
        library = re.compile("^https:")
        opened.page.route(library, lambda one: one.fulfill(body="", content_type="text/javascript"))
        yield opened


def sent(opened: Opened, standard: str, event: dict[str, Any]) -> list[Any]:
    """What the pixel hands to GA4's library for one event of Shopify's, after its set-up."""
    context = {"document": {"location": PLACE, "referrer": "", "title": "Shirt"}}
    return list(
        opened.ask(
            f"""([name, event]) => {{ {BUS} delete window.dataLayer; {PIXEL}
            const before = window.dataLayer.length;
            for (const call of subscribed[name]) call(event);
            return window.dataLayer.slice(before).map((one) => [...one]); }}""",
            [standard, {"context": context, **event}],
        )
    )


def test_the_pixel_sends_what_shopify_tells(blank: Opened) -> None:
    checkout = {
        "currencyCode": "EUR", "totalPrice": {"amount": 103, "currencyCode": "EUR"},
        "lineItems": [{"variant": SHIRT, "quantity": 2}], "order": {"id": "1001"},
        "transactions": [{"gateway": "paypal"}],
    }  # fmt: skip
    two = [{**SENT_ITEM, "quantity": 2}]
    one = [{**SENT_ITEM, "quantity": 1}]
    for standard, data, name, rest in (
        ("checkout_completed", {"checkout": checkout}, "purchase",
         {"currency": "EUR", "value": 103, "items": two, "transaction_id": "1001",
          "payment_type": "paypal"}),
        ("cart_viewed", {"cart": {"lines": [LINE], "cost": LINE["cost"]}}, "view_cart",
         {"currency": "EUR", "value": 98, "items": two}),
        ("product_added_to_cart", {"cartLine": LINE}, "add_to_cart",
         {"currency": "EUR", "value": 98, "items": two}),
        ("product_viewed", {"productVariant": SHIRT}, "view_item",
         {"currency": "EUR", "value": 49, "items": one}),
        ("collection_viewed", {"collection": {"productVariants": [SHIRT]}}, "view_item_list",
         {"currency": None, "value": None, "items": one}),
    ):  # fmt: skip
        ((command, event, parameters),) = sent(blank, standard, {"data": data})
        told = {key: value for key, value in parameters.items() if value is not None}
        assert (command, event) == ("event", name)
        assert told == {**PAGE, **{key: value for key, value in rest.items() if value is not None}}


def test_the_pixel_passes_on_what_the_theme_publishes_for_it(blank: Opened) -> None:
    own = {"name": "sluice:gallery", "customData": {"image_no": 2}}
    assert sent(blank, "all_custom_events", own) == [["event", "gallery", {**PAGE, "image_no": 2}]]
    assert sent(blank, "all_custom_events", {"name": "other:gallery", "customData": {}}) == []


def test_a_page_view_before_an_order_is_sent_without_one(blank: Opened) -> None:
    ((_, event, parameters),) = sent(blank, "page_viewed", {"data": {}})
    assert event == "page_view"
    assert parameters["page_location"] == PLACE["href"]
    assert blank.said == []


@pytest.mark.parametrize("selectors", [(".zoom",), (".pinch", ".zoom"), (".a, .zoom",)])
def test_a_click_on_what_is_inside_counts_as_one(blank: Opened, selectors: tuple[str, ...]) -> None:
    event = SentEvent("zoom", TriggerKind.CLICK, ("gallery",), selectors=selectors)
    (condition,) = trigger_of(event)["filter"]
    css = condition["parameter"][1]["value"]
    assert blank.ask(
        """(css) => {
            const body = document.body;
            body.innerHTML =
                '<button class=zoom><i id=in></i></button><p class=other><i id=out></i></p>';
            const found = ['.zoom', '#in', '.other', '#out'].map((one) => body.querySelector(one));
            return found.map((one) => one.matches(css));
        }""",
        css,
    ) == [True, True, False, False]
