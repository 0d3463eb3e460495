"""The seeds: what the project's own say, and how a broken one is refused."""

import csv
import re
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.tracking_plan import (
    SEEDS,
    SEEDS_DIR,
    ParameterCondition,
    Segment,
    load_plan,
)
from pipelines.config.tracking_plan.row_models import STAGES
from pipelines.errors import SeedError

NAMES = tuple(SEEDS)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    """A copy of the project's seeds to break."""
    for name in NAMES:
        shutil.copy(SEEDS_DIR / f"{name}.csv", tmp_path)
    return tmp_path


def edit(seeds: Path, name: str, change) -> None:
    """Apply `change` to the seed's rows (dicts) and write what it returns."""
    path = seeds / f"{name}.csv"
    with path.open(newline="") as lines:
        rows = change(list(csv.DictReader(lines)))
    with path.open("w", newline="") as lines:
        writer = csv.DictWriter(lines, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def set_cell(key: str, column: str, value: str):
    """A change: `column` of the micro-conversion `key` becomes `value`."""
    return lambda rows: [{**row, column: value} if row["key"] == key else row for row in rows]


def refusal(seeds: Path) -> str:
    with pytest.raises(SeedError) as caught:
        load_plan(seeds)
    return str(caught.value)


def of_key(plan, key: str):
    return next(micro for micro in plan.micro_conversions if micro.key == key)


def test_the_plan_of_the_project():
    plan = load_plan()
    # 29 keys of the default plan, and home_view and promotion_view, which are parents only.
    assert len(plan.micro_conversions) == 31
    assert plan.segments == (
        Segment("all", None),
        Segment("device", "deviceCategory"),
        Segment("channel", "sessionDefaultChannelGroup"),
        Segment("country", "country"),
        Segment("visitor", "newVsReturning"),
        Segment("landing_page", "landingPage"),
    )
    scroll = of_key(plan, "product_scroll_50")
    assert scroll.event_names == ("scroll_depth", "scroll")
    assert scroll.conditions == (
        ParameterCondition("percent_scrolled", ">=", "50"),
        ParameterCondition("page_type", "=", "product"),
    )
    video = of_key(plan, "video_play")
    assert video.event_names == ("product_video_play", "video_start")
    assert {micro.key for micro in plan.micro_conversions if micro.is_composite} == {
        "home_view", "home_scroll_fold", "product_scroll_50", "video_play", "email_capture",
    }  # fmt: skip
    assert plan.parameters == {
        "page_type": ("page_view", "scroll_depth", "scroll"),
        "percent_scrolled": ("scroll_depth", "scroll"),
        "payment_type": ("add_payment_info",),
        "exp_variant_string": ("experience_impression",),
    }


def test_the_funnels_of_the_project():
    core, extended, checkout = load_plan().funnels
    assert (core.name, extended.name, checkout.name) == ("core", "extended", "checkout")
    assert [(step.number, step.key) for step in core.steps] == [
        (0, "sessions"), (1, "product_view"), (2, "add_to_cart"), (3, "checkout_start"),
        (4, "purchase"),
    ]  # fmt: skip
    assert core.steps[0].micro_conversion is None
    assert core.steps[1].micro_conversion == of_key(load_plan(), "product_view")
    assert not any(step.is_optional for step in core.steps)
    assert [step.key for step in extended.steps if step.is_optional] == [
        "list_view", "cart_view", "contact_done", "delivery_done", "payment_reached",
        "payment_method",
    ]  # fmt: skip
    assert [(step.key, step.is_optional) for step in checkout.steps] == [
        ("checkout_start", False), ("contact_done", True), ("delivery_done", True),
        ("payment_reached", True), ("payment_method", True), ("purchase", False),
    ]  # fmt: skip


def test_steps_are_in_the_order_of_their_numbers(seeds):
    edit(seeds, "funnel_steps", lambda rows: rows[::-1])
    checkout, extended, core = load_plan(seeds).funnels
    assert [step.number for step in checkout.steps] == list(range(6))
    assert [step.number for step in core.steps] == [0, 1, 2, 3, 4]
    assert [step.number for step in extended.steps] == list(range(11))


def test_parameters_are_names(seeds):
    edit(seeds, "micro_conversions", set_cell("gallery", "parameters", " zoom_level | image_no |"))
    assert of_key(load_plan(seeds), "gallery").parameters == ("zoom_level", "image_no")
    edit(seeds, "micro_conversions", set_cell("gallery", "parameters", "zoom level"))
    assert "'zoom level' of the key 'gallery'" in refusal(seeds)


@pytest.mark.parametrize("seed", NAMES)
def test_a_missing_file_is_named(seeds, seed):
    (seeds / f"{seed}.csv").unlink()
    message = refusal(seeds)
    assert str(seeds / f"{seed}.csv") in message
    assert "No such file" in message


@pytest.mark.parametrize(
    ("seed", "column"),
    [
        ("micro_conversions", "event_names"),
        ("micro_conversions", "parent_key"),
        ("funnel_steps", "step_number"),
        ("segments", "api_dimension"),
        ("benchmarks", "source_date"),
    ],
)
def test_a_missing_column_is_named(seeds, seed, column):
    edit(seeds, seed, lambda rows: [{k: v for k, v in r.items() if k != column} for r in rows])
    message = refusal(seeds)
    assert f"{seed}.csv has no column '{column}'" in message


@pytest.mark.parametrize(
    ("seed", "key"),
    [
        ("micro_conversions", "home_view"),
        ("funnel_steps", "core, 0"),
        ("segments", "all"),
        ("benchmarks", "add_to_cart_rate"),
    ],
)
def test_a_duplicate_key_is_named(seeds, seed, key):
    edit(seeds, seed, lambda rows: [*rows, rows[0]])
    message = refusal(seeds)
    assert f"{seed}.csv" in message
    assert f"'{key}" in message
    assert "twice" in message


@pytest.mark.parametrize(
    "text",
    [
        "percent_scrolled>50", "percent_scrolled>=half", "percent_scrolled", "=home", "page_type=",
        "page type=home", "page_type=home&scroll", "percent_scrolled>=-1", "percent_scrolled>=²",
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_read_is_shown_with_its_key(seeds, text):
    edit(seeds, "micro_conversions", set_cell("gallery", "parameter_filter", text))
    message = refusal(seeds)
    assert f"'{text}'" in message
    assert "'gallery'" in message


def test_an_empty_condition_says_nothing(seeds):
    edit(seeds, "micro_conversions", set_cell("gallery", "parameter_filter", "a=1&& b>=2 &"))
    assert of_key(load_plan(seeds), "gallery").conditions == (
        ParameterCondition("a", "=", "1"),
        ParameterCondition("b", ">=", "2"),
    )


parameters = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,38}", fullmatch=True)
values = st.text(
    st.characters(blacklist_characters="&\x00", blacklist_categories=("Cs", "Cc")), min_size=1
).filter(lambda text: text.strip() == text and not text.startswith("="))
conditions = st.lists(
    st.one_of(
        st.tuples(parameters, st.just("="), values),
        st.tuples(parameters, st.just(">="), st.integers(0, 10**6).map(str)),
    ),
    max_size=4,
)


@given(conditions)
def test_any_written_filter_is_read_back(tmp_path_factory, written):
    seeds = tmp_path_factory.mktemp("seeds")
    for name in NAMES:
        shutil.copy(SEEDS_DIR / f"{name}.csv", seeds)
    text = "&".join("".join(one) for one in written)
    edit(seeds, "micro_conversions", set_cell("gallery", "parameter_filter", text))
    read = of_key(load_plan(seeds), "gallery").conditions
    assert [(one.name, one.operator, one.value) for one in read] == written


@pytest.mark.parametrize("name", ["it's 100% sale", 'say "hi"', "100%", "käufe; drop table x --"])
def test_event_names_keep_quotes_and_percent_signs(seeds, name):
    edit(seeds, "micro_conversions", set_cell("gallery", "event_names", f" {name} | other "))
    assert of_key(load_plan(seeds), "gallery").event_names == (name, "other")


def test_the_stages_are_those_that_people_read():
    text = (DBT_PROJECT_DIR / "models/marts/core/dim_stage.sql").read_text()
    assert set(re.findall(r"\('(\w+)', \d", text)) == STAGES


def test_a_byte_order_mark_of_a_spreadsheet_is_no_matter(seeds):
    path = seeds / "segments.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_plan(seeds) == load_plan()
