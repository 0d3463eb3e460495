"""Coverage of the tracking plan: what never came, what came under another name, and the words."""

import pytest

from pipelines.config.tracking_plan.event_names import AUTOMATIC, looks_like
from pipelines.monitoring.doctor.coverage_steps import assess_coverage, tracking_step
from pipelines.monitoring.doctor.expected_keys import PlannedKey, read_plan
from pipelines.monitoring.doctor.probes import EventAnswer
from pipelines.monitoring.doctor.step_model import Mark

KNOWN = ("add_to_cart", "begin_checkout", "sign_up", "view_item", "view_item_list", "purchase")
KEYS = (
    PlannedKey("home_view", ("page_view",), True, "enhanced"),
    PlannedKey("checkout_start", ("begin_checkout",), True, "recommended"),
    PlannedKey("email", ("sign_up", "generate_lead"), True, "recommended"),
    PlannedKey("gallery", ("image_gallery_interaction",), False, "custom"),
)
ADVICE = {"recommended": "let Google Tag Manager send it"}
ALL_CAME = {"page_view": 900, "begin_checkout": 40, "generate_lead": 3}


def step_of(counts: dict[str, int], sessions: int = 5_000, is_partial: bool = False):
    answer = EventAnswer(counts, is_partial)
    return tracking_step(assess_coverage(KEYS, counts), answer, sessions, "42", ADVICE)


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("addToCart", "add_to_cart"),
        ("ADD_TO_CART", "add_to_cart"),
        ("Add to cart", "add_to_cart"),
        ("add-to-cart", "add_to_cart"),
        ("addtocart", "add_to_cart"),
        ("cart_add_to", "add_to_cart"),
        ("checkout_begin", "begin_checkout"),
        ("CheckoutBegin", "begin_checkout"),
        ("view_items", "view_item"),
        ("ViewItemList", "view_item_list"),
        ("purchased", "purchase"),
        ("signup", "sign_up"),
    ],
)
def test_a_name_written_otherwise_is_recognised(name, known):
    assert looks_like(name, KNOWN) == known


@pytest.mark.parametrize(
    "name",
    ["sign_in", "add_to_compare", "remove_from_cart", "login", "refund", "share", "_", "カート"],
)
def test_another_event_is_not_taken_for_a_known_one(name):
    assert looks_like(name, KNOWN) is None


def test_no_name_of_the_project_s_own_plan_looks_like_another():
    """Otherwise a shop that sends both would be told to join them."""
    names = {name for key in read_plan().keys for name in key.event_names}
    assert {
        name: found
        for name in (names | AUTOMATIC)
        if (found := looks_like(name, names - {name})) is not None
    } == {}


def test_the_plan_of_the_project_has_its_expected_keys():
    expected = {key.key: key for key in read_plan().keys if key.is_expected}
    assert len(expected) == 11
    assert expected["email_capture"].event_names[0] == "generate_lead"
    assert expected["purchase"].origin == "recommended"
    assert "gallery" not in expected


def test_a_key_has_come_when_one_of_its_events_has():
    coverage = assess_coverage(KEYS, ALL_CAME)
    assert coverage.came == ("home_view", "checkout_start", "email")
    assert [key.key for key in coverage.missing] == ["gallery"]
    assert coverage.missing_expected == ()


def test_events_of_ga4_itself_are_not_unknown():
    counts = {**ALL_CAME, "session_start": 800, "scroll": 300, "chat_open": 4, "zoom": 9}
    assert dict(assess_coverage(KEYS, counts).unknown) == {"zoom": 9, "chat_open": 4}


def test_everything_expected_came():
    step = step_of({**ALL_CAME, "chat_open": 1_234})
    assert step.mark is Mark.RIGHT
    assert step.message == "3 of 4 keys of the plan came, all expected ones"
    assert step.details == ("not in the plan: chat_open (1,234)",)
    assert step.facts["missing_optional"] == ["gallery"]


def test_an_expected_key_that_never_came_is_named_with_what_to_do():
    step = step_of({"page_view": 900})
    assert step.mark is Mark.WRONG
    assert step.message.startswith("2 expected keys never came in the last 28 days: send what is")
    assert "under not_applicable in tracking_plan.yml" in step.message
    first, second = step.details
    assert first.startswith("begin_checkout (key checkout_start) never came: ")
    assert "Google Tag Manager" in first
    assert second.startswith("sign_up or generate_lead (key email) never came: ")
    assert step.facts["missing"] == ["checkout_start", "email"]


def test_a_renamed_event_is_offered_as_an_alias():
    counts = {"page_view": 900, "generate_lead": 3, "BeginCheckout": 1_050}
    step = step_of(counts)
    assert step.mark is Mark.WRONG
    assert step.details == (
        "begin_checkout (key checkout_start) never came, but BeginCheckout came 1,050 times and "
        "looks like begin_checkout: if it is, put 'checkout_start: {event_names: [begin_checkout, "
        "BeginCheckout]}' under micro_conversions in tracking_plan.yml",
    )
    assert step.facts["aliases"] == [
        {"event": "BeginCheckout", "looks_like": "begin_checkout", "keys": ["checkout_start"]}
    ]


def test_an_alias_of_a_key_that_came_or_is_optional_is_only_a_hint():
    step = step_of({**ALL_CAME, "signUp": 7, "image_gallery_interactions": 5})
    assert step.mark is Mark.RIGHT
    assert [line.split(" ")[0] for line in step.details] == ["signUp", "image_gallery_interactions"]


def test_a_missing_event_is_told_with_the_command_that_writes_its_tag():
    answer = EventAnswer({"page_view": 900}, False)
    advice = read_plan().tracking.advice
    step = tracking_step(assess_coverage(KEYS[:2], answer.counts), answer, 5_000, "42", advice)
    assert step.details == (
        "begin_checkout (key checkout_start) never came: let the shop's GA4 integration or Google "
        "Tag Manager send it (sluice gtm writes the container)",
    )
    # GA4 sends these by itself, once it is told to.
    assert {origin for origin, words in advice.items() if "sluice gtm" not in words} == {
        "automatic", "enhanced",
    }  # fmt: skip


def test_many_unknown_events_are_cut_short():
    counts = {**ALL_CAME, **{f"own_{letter * 9}": 5 for letter in "abcdefghijkl"}}
    (line,) = step_of(counts).details
    assert line.count("own_") == 10
    assert line.endswith("and 2 more")


def test_nothing_came_at_all():
    step = step_of({})
    assert step.mark is Mark.WRONG
    assert "No event came in the last 28 days" in step.message
    assert "42" in step.message
    assert step.details == ()


@pytest.mark.parametrize(
    ("sessions", "is_partial", "words"),
    [
        (5_000, False, "28 days: send"),
        (458, False, "of only 458 sessions, so this may be chance"),
        (459, False, "28 days: send"),
        (5_000, True, "GA4 hid or folded rare events"),
    ],
)
def test_a_doubt_is_told(sessions, is_partial, words):
    assert words in step_of({"page_view": 900}, sessions, is_partial).message


def without_sessions(counts: dict[str, int], sessions: dict[str, int], orders: dict[str, int]):
    keys = (*KEYS[:3], PlannedKey("purchase", ("purchase",), True, "recommended"))
    answer = EventAnswer(counts, False, sessions, orders)
    return tracking_step(assess_coverage(keys, counts), answer, 5_000, "42", ADVICE)


def test_orders_and_other_events_without_sessions_are_wrong():
    counts = {**ALL_CAME, "begin_checkout": 500, "purchase": 122}
    sessions = {"page_view": 700, "begin_checkout": 4, "generate_lead": 0, "purchase": 24}
    step = without_sessions(counts, sessions, {"purchase": 122})
    assert step.mark is Mark.WRONG
    assert step.message == (
        "98 of 122 orders came without a session: send session_id and client_id with each "
        "Measurement Protocol hit of purchase, or send it from the browser."
    )
    # 3 leads are too few to tell, and a page is seen more than once a session.
    assert step.details[0].startswith("500 begin_checkout events came with 4 sessions: send")
    assert step.facts["sessionless"] == ["begin_checkout", "purchase"]


@pytest.mark.parametrize("with_session", [61, 122, 123])
def test_half_of_the_orders_and_a_hundredth_of_the_events_are_enough(with_session):
    counts = {**ALL_CAME, "begin_checkout": 500, "purchase": 122}
    sessions = {"begin_checkout": 5, "purchase": with_session}
    assert without_sessions(counts, sessions, {"purchase": 122}).mark is Mark.RIGHT


def test_what_the_shop_declared_it_does_not_have_is_not_missed():
    keys = (*KEYS[:1], PlannedKey("email", ("sign_up",), True, "recommended", False))
    coverage = assess_coverage(keys, {"page_view": 9, "sign_up": 2, "signUp": 4})
    assert coverage.missing == ()
    # Its event is known, but nobody is told to count another one as it.
    assert dict(coverage.unknown) == {"signUp": 4}
    assert coverage.aliases == ()
