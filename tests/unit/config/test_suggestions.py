"""Renamed events: the question, the key, and a line that the shop's file takes as it is."""

from pathlib import Path

import pandas as pd

from pipelines.config.tracking_plan import load_plan
from pipelines.config.tracking_plan.suggestion_rows import suggest_rows
from pipelines.config.tracking_plan.suggestions import suggest, unknown_events

KEYS = {
    "add_to_cart": ("add_to_cart",),
    "fold": ("scroll_depth", "scroll"),
    "half": ("scroll_depth",),
}


def test_the_question_and_the_line() -> None:
    (one,) = suggest({"addToCart": 4_102, "chat_open": 9}, KEYS)
    assert one.words == "`addToCart` seen 4,102 times: alias of add_to_cart?"
    assert one.lines == ("add_to_cart: {event_names: [add_to_cart, addToCart]}",)


def test_two_names_of_one_key_share_a_line_and_two_keys_of_one_name_have_one_each() -> None:
    found = {one.event: one for one in suggest({"addToCart": 5, "Add-to-Cart": 3}, KEYS)}
    line = 'add_to_cart: {event_names: [add_to_cart, addToCart, "Add-to-Cart"]}'
    assert found["addToCart"].lines == found["Add-to-Cart"].lines == (line,)
    (depth,) = suggest({"scrollDepth": 1}, KEYS)
    assert depth.keys == ("fold", "half")
    assert depth.lines == (
        "fold: {event_names: [scroll_depth, scroll, scrollDepth]}",
        "half: {event_names: [scroll_depth, scrollDepth]}",
    )


def test_events_of_ga4_itself_and_of_the_plan_are_not_unknown() -> None:
    counts = {"session_start": 9, "add_to_cart": 8, "zoom": 1, "chat": 5}
    assert list(unknown_events(counts, {"add_to_cart"}).items()) == [("chat", 5), ("zoom", 1)]


def test_the_line_makes_the_plan_count_it(tmp_path: Path) -> None:
    keys = {micro.key: micro.event_names for micro in load_plan().micro_conversions}
    events = {"addToCart": 40, "Sign up!": 3, "purchase ": 2}
    lines = [line for one in suggest(events, keys) for line in one.lines]
    path = tmp_path / "tracking_plan.yml"
    path.write_text("micro_conversions:\n" + "".join(f"  {line}\n" for line in lines))
    plan = {micro.key: micro for micro in load_plan(shop=path).micro_conversions}
    assert plan["add_to_cart"].event_names == ("add_to_cart", "addToCart")
    assert plan["email_capture"].event_names[-1] == "Sign up!"


def test_rows_of_several_properties() -> None:
    events = pd.DataFrame(
        [("1", "addToCart", 7), ("2", "addToCart", 2), ("2", "session_start", 50)],
        columns=["property_id", "event_name", "events"],
    )
    plan = pd.DataFrame(
        [("add_to_cart", "add_to_cart", False), ("wishlist", "add_to_wishlist", True),
         ("sessions", None, False)],
        columns=["key", "event_names", "is_not_applicable"],
    )  # fmt: skip
    rows = suggest_rows(events, plan)
    assert rows[["property_id", "event_name", "suggested_key"]].values.tolist() == [
        ["1", "addToCart", "add_to_cart"], ["2", "addToCart", "add_to_cart"],
    ]  # fmt: skip
    assert rows["words"].tolist()[1] == "`addToCart` seen 2 times: alias of add_to_cart?"
    assert suggest_rows(events.iloc[:0], plan).empty
