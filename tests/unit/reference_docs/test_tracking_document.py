"""docs/tracking.md: up to date, and about keys, events and triggers that there are."""

import re
from pathlib import Path

import pytest

from pipelines.config.tracking_plan import Trigger, TriggerKind, load_plan
from pipelines.config.tracking_plan.event_names import AUTOMATIC, ECOMMERCE
from pipelines.reference_docs.tracking_document import TARGET, read_ways, render

DOCUMENT = TARGET.read_text(encoding="utf-8")
# All that Shopify's Web Pixels API has.
STANDARD = {
    "alert_displayed", "cart_viewed", "checkout_address_info_submitted", "checkout_completed",
    "checkout_contact_info_submitted", "checkout_shipping_info_submitted", "checkout_started",
    "collection_viewed", "page_viewed", "payment_info_submitted", "product_added_to_cart",
    "product_removed_from_cart", "product_viewed", "search_submitted", "ui_extension_errored",
}  # fmt: skip


def test_the_file_is_what_make_docs_writes() -> None:
    assert render(DOCUMENT) == DOCUMENT, "run 'make docs'"


def test_what_was_written_by_hand_stays_and_a_lost_place_is_told() -> None:
    changed = DOCUMENT.replace("| **home_view**", "| gone").replace("# Tracking", "# Our tracking")
    assert render(changed) == DOCUMENT.replace("# Tracking", "# Our tracking")
    with pytest.raises(ValueError, match="has 0 places that begin with <!-- triggers"):
        render(DOCUMENT.replace("<!-- triggers: ", "<!-- trigger: "))


def test_every_key_has_its_row_with_its_events() -> None:
    rows = {
        cells[1].strip(" *"): cells[3]
        for cells in (line.split(" | ") for line in DOCUMENT.splitlines())
        for cells in [["", *cells]]
        if len(cells) == 7 and "`" in cells[3]
    }
    plan = load_plan().micro_conversions
    found = {key.strip("| *"): tuple(re.findall("`(.*?)`", events)) for key, events in rows.items()}
    assert found == {micro.key: micro.event_names for micro in plan}


def test_shopify_s_events_have_their_real_names_and_the_keys_of_a_purchase_one_each() -> None:
    ways, plan = read_ways(), {micro.key: micro for micro in load_plan().micro_conversions}
    assert ways.shopify.keys() <= STANDARD
    sent = {plan[key].event_names[0] for key in ways.shopify.values()}
    # A click in a list, a promotion and a wish list are the theme's.
    asked = {name for micro in plan.values() if micro.is_expected for name in micro.event_names}
    assert asked & ECOMMERCE - sent == {"select_item"}


def test_the_lines_for_the_tracking_plan_are_read_as_they_stand(tmp_path: Path) -> None:
    (lines,) = re.findall(r"```yaml\n(micro_conversions:\n.*?)```", DOCUMENT, re.DOTALL)
    shop = tmp_path / "tracking_plan.yml"
    shop.write_text(lines, encoding="utf-8")
    micros = {micro.key: micro for micro in load_plan(shop=shop).micro_conversions}
    written = read_ways().triggers
    assert {key: one.trigger for key, one in micros.items() if one.trigger} == {
        key: Trigger(TriggerKind(one["kind"]), one.get("selector", ""))
        for key, one in written.items()
    }
    # Events with items need the data layer; every kind but that is shown.
    assert not ECOMMERCE & {micros[key].event_names[0] for key in written}
    kinds = {one["kind"] for one in written.values()}
    assert kinds == set(TriggerKind) - {TriggerKind.EVENT}
    assert all(f"| `{kind}` |" in DOCUMENT for kind in TriggerKind)


def test_every_key_has_a_way_to_be_sent() -> None:
    """By Shopify, by what Tag Manager watches, or by the theme's push of an event with items."""
    ways = read_ways()
    by_hand = [
        micro.key
        for micro in load_plan().micro_conversions
        if micro.key not in {*ways.shopify.values(), *ways.triggers}
        and not (ECOMMERCE | AUTOMATIC).intersection(micro.event_names)
    ]
    assert by_hand == ["experiment_exposure"]
