"""Which events a container sends, and when."""

from pathlib import Path

import pytest

from pipelines.config.tracking_plan import TrackingPlan, TriggerKind, load_plan
from pipelines.config.tracking_plan.event_names import AUTOMATIC, ECOMMERCE
from pipelines.emulator.simulator.events import WITH_VALUE
from pipelines.errors import SeedError
from pipelines.gtm.events import Coverage, Selection, SentEvent, select_events, whole_plan

PLAN = load_plan()


def plan_with(folder: Path, text: str) -> TrackingPlan:
    path = folder / "tracking_plan.yml"
    path.write_text(text, encoding="utf-8")
    return load_plan(shop=path)


def without(*missing: str) -> Coverage:
    """Everything arrives but these keys."""
    return Coverage(
        frozenset(missing), frozenset(one.key for one in PLAN.micro_conversions) - {*missing}
    )


def test_a_new_shop_gets_every_event_of_the_plan_once() -> None:
    selection = select_events(PLAN, whole_plan(PLAN))
    names = [one.name for one in selection.events]
    planned = {name for micro in PLAN.micro_conversions for name in micro.event_names}
    assert len(set(names)) == len(names)
    assert set(names) == planned - AUTOMATIC
    assert {one.kind for one in selection.events} == {TriggerKind.EVENT}
    # page_view comes with the Google tag, which has to tell the page's type.
    assert (selection.page_keys, selection.page_parameters) == (("home_view",), ("page_type",))
    assert selection.has_page_views
    assert selection.left_out == {}
    covered = {key for one in selection.events for key in one.keys} | {*selection.page_keys}
    assert covered == {micro.key for micro in PLAN.micro_conversions}


def test_only_what_is_missing_is_sent_and_no_page_view_again() -> None:
    assert select_events(PLAN, without("checkout_start", "payment_method")) == Selection(
        events=(
            SentEvent("begin_checkout", TriggerKind.EVENT, ("checkout_start",)),
            SentEvent(
                "add_payment_info", TriggerKind.EVENT, ("payment_method",), ("payment_type",)
            ),
        ),
        has_page_views=False,
    )


def test_nothing_missing_needs_no_container() -> None:
    assert not select_events(PLAN, without()).is_needed
    assert not select_events(PLAN, Coverage(frozenset())).is_needed
    assert select_events(PLAN, without("gallery")).is_needed


def test_an_event_that_arrives_under_another_key_is_not_sent_twice() -> None:
    """scroll_depth comes from product pages: what the home page lacks is the parameter."""
    selection = select_events(PLAN, without("home_scroll_fold"))
    assert not selection.is_needed
    assert selection.left_out == {
        "home_scroll_fold": "scroll_depth or scroll comes already, but never with page_type=home: "
        "send that along with it"
    }


def test_what_ga4_sends_by_itself_needs_no_tag(tmp_path: Path) -> None:
    plan = plan_with(
        tmp_path,
        "micro_conversions:\n"
        "  search:\n"
        "    {stage: site, family: intent, event_names: view_search_results, description: x}\n",
    )
    received = frozenset(one.key for one in PLAN.micro_conversions) - {"home_view"}
    selection = select_events(plan, Coverage(frozenset({"home_view", "search"}), received))
    assert not selection.is_needed
    assert selection.left_out == {
        "home_view": "GA4's own tag sends page_view: turn on Enhanced measurement, with "
        "page_type=home",
        "search": "GA4's own tag sends view_search_results: turn on Enhanced measurement",
    }
    first = select_events(plan, Coverage(frozenset({"home_view", "search"})))
    assert (first.events, first.page_keys, first.left_out) == ((), ("home_view", "search"), {})


def test_what_the_shop_does_not_have_is_not_sent(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, "not_applicable: [wishlist]")
    names = {one.name for one in select_events(plan, whole_plan(plan)).events}
    assert "add_to_wishlist" not in names
    assert "add_to_cart" in names


# Also what tests of containers are made of.
TRIGGERS = """
micro_conversions:
  gallery: {trigger: {kind: click, selector: .zoom}}
  navigation_click: {trigger: {kind: link_click, selector: nav a}}
  review_scroll: {trigger: {kind: visible, selector: '#reviews'}}
  product_scroll_50:
    {parameter_filter: percent_scrolled>=40&page_type=product, trigger: {kind: scroll}}
  video_play: {trigger: {kind: video}}
  email_capture: {trigger: {kind: visible, selector: '.thanks'}}
  cart_view: {trigger: {kind: event}}
  zoom:
    {stage: product, family: intent, event_names: image_gallery_interaction, description: x,
     trigger: {kind: click, selector: '.pinch'}}
  look:
    {stage: product, family: intent, event_names: image_gallery_interaction, description: x,
     trigger: {kind: visible, selector: '.lightbox'}}
"""


def test_what_tag_manager_watches_is_sent_as_the_first_name(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, TRIGGERS)
    asked = {
        "gallery", "zoom", "look", "navigation_click", "review_scroll", "home_scroll_fold",
        "product_scroll_50", "video_play", "email_capture", "cart_view",
    }  # fmt: skip
    selection = select_events(plan, Coverage(frozenset(asked)))
    both = ("home_scroll_fold", "product_scroll_50")
    gallery = ("gallery", "zoom", "look")
    assert selection.events == (
        # What the one key says of the event holds for the other, whose filter needs no depth.
        SentEvent(
            "scroll_depth", TriggerKind.SCROLL, both, ("page_type", "percent_scrolled"), (),
            (25, 40, 50, 75, 90),
        ),
        SentEvent(
            "navigation_click", TriggerKind.LINK_CLICK, ("navigation_click",), (), ("nav a",)
        ),
        SentEvent(
            "image_gallery_interaction", TriggerKind.CLICK, gallery, (), (".zoom", ".pinch")
        ),
        SentEvent("image_gallery_interaction", TriggerKind.VISIBLE, gallery, (), (".lightbox",)),
        SentEvent(
            "review_section_view", TriggerKind.VISIBLE, ("review_scroll",), (), ("#reviews",)
        ),
        SentEvent("product_video_play", TriggerKind.VIDEO, ("video_play",)),
        SentEvent("generate_lead", TriggerKind.VISIBLE, ("email_capture",), (), (".thanks",)),
        SentEvent("view_cart", TriggerKind.EVENT, ("cart_view",)),
    )  # fmt: skip


def test_a_name_that_tag_manager_would_fill_in_is_refused(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, "micro_conversions: {gallery: {event_names: '{{zoom}}'}}")
    with pytest.raises(SeedError) as caught:
        select_events(plan, whole_plan(plan))
    assert str(caught.value) == (
        "The event '{{zoom}}' of the key 'gallery' cannot be sent by Tag Manager, to which {{ "
        "begins a variable: give it another name."
    )


@pytest.mark.parametrize("name", ["x" * 41, "2nd_image", "my zoom", "zoom-in", "_zoom", "error"])
def test_a_name_that_ga4_does_not_take_is_refused(tmp_path: Path, name: str) -> None:
    plan = plan_with(tmp_path, f"micro_conversions: {{gallery: {{event_names: '{name}'}}}}")
    with pytest.raises(SeedError, match=rf"^The event '{name}' of the key 'gallery' has no name"):
        select_events(plan, whole_plan(plan))
    # What arrives already is taken as it is.
    arriving = Coverage(frozenset({"size_guide"}), frozenset({"gallery"}))
    assert [one.name for one in select_events(plan, arriving).events] == ["size_guide_open"]


def test_the_longest_and_other_letters_are_taken(tmp_path: Path) -> None:
    name = "größe_" + "x" * 34
    plan = plan_with(tmp_path, f"micro_conversions: {{gallery: {{event_names: {name}}}}}")
    assert name in [one.name for one in select_events(plan, whole_plan(plan)).events]


def test_the_events_with_items_are_the_recommended_ones_but_those_of_an_address() -> None:
    def names(origin: str) -> set[str]:
        keys = [micro for micro in PLAN.micro_conversions if micro.origin == origin]
        return {name for micro in keys for name in micro.event_names}

    (address,) = [micro for micro in PLAN.micro_conversions if micro.key == "email_capture"]
    assert names("recommended") - ECOMMERCE == {*address.event_names}
    assert not ECOMMERCE & (names("custom") | AUTOMATIC)
    # The simulated shop gives them what they are worth.
    assert set(WITH_VALUE) <= ECOMMERCE
