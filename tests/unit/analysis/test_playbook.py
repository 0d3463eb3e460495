"""The diagnosis playbook: what its conditions mean, and how a broken one is refused."""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.analysis.diagnosis.evaluate import SCHEMA, diagnose
from pipelines.analysis.diagnosis.grammar import FAMILIES, Clause, Place, parse_condition
from pipelines.analysis.diagnosis.playbook import Rule
from pipelines.config.tracking_plan import SEEDS, SEEDS_DIR, load_plan
from pipelines.errors import SeedError

PLACE = Place("R1", "diagnosis_playbook.csv")
DAY = pd.Timestamp("2026-06-30")


def clauses(text: str) -> tuple[Clause, ...]:
    return parse_condition(text, PLACE)


def test_a_condition_is_clauses_that_must_all_hold() -> None:
    assert clauses(
        "micro(product_click) is low and micro( gallery , video_play ) is not  high "
        "on country=Trinidad and Tobago and tracking(core) is missing"
    ) == (
        Clause("micro", ("product_click",), "low"),
        Clause(
            "micro", ("gallery", "video_play"), "high", True, ("country", "Trinidad and Tobago")
        ),
        Clause("tracking", ("core",), "missing"),
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mikro(gallery) is low", "'mikro' in its condition, which is no kind of metric: did you "
         "mean 'micro'?"),
        ("micro(gallery) iz low", "'iz' in its condition, which is no word of a condition: did "
         "you mean 'is'?"),
        ("micro(gallery) is lo", "'lo' in its condition, which is no level of micro(): did you "
         "mean 'low'?"),
        ("tracking(core) is low", "which is no level of tracking(): did you mean "),
        ("micro(gallery) is low at device=mobile", "'at' in its condition, which is no word that "
         "can follow a level"),
        ("micro(gallery) is low or micro(wishlist) is low", "'or' in its condition"),
        ("micro(gallery) is low on device", "cannot be read"),
        ("micro(gallery) is low on device=mobile and not low on device=desktop", "cannot be read"),
        ("micro(gallery,) is low", "cannot be read"),
        ("micro(gallery) is", "cannot be read"),
        ("micro gallery is low", "cannot be read"),
        ("", "cannot be read"),
        ("__import__('os').system('x') is low", "no kind of metric"),
    ],
)  # fmt: skip
def test_a_broken_condition_is_one_sentence(text: str, said: str) -> None:
    with pytest.raises(SeedError) as caught:
        clauses(text)
    message = str(caught.value)
    assert message.startswith("The rule 'R1' in diagnosis_playbook.csv has ")
    assert said in message
    assert "\n" not in message


@given(st.text())
def test_no_text_does_more_than_be_refused(text: str) -> None:
    try:
        found = clauses(text)
    except SeedError:
        return
    assert all(clause.level in FAMILIES[clause.family] for clause in found)


WRITTEN = st.builds(
    Clause,
    st.just("micro"),
    st.lists(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), min_size=1, max_size=3).map(tuple),
    st.sampled_from(FAMILIES["micro"]),
    st.booleans(),
    st.none() | st.tuples(st.just("device"), st.from_regex(r"[a-z]{1,9}", fullmatch=True)),
)


def write(clause: Clause) -> str:
    where = f" on {clause.segment[0]}={clause.segment[1]}" if clause.segment else ""
    word = "is not" if clause.is_negated else "is"
    return f"{clause.family}({', '.join(clause.names)}) {word} {clause.level}{where}"


@given(st.lists(WRITTEN, min_size=1, max_size=4))
def test_any_written_condition_is_read_back(written: list[Clause]) -> None:
    assert clauses(" and ".join(map(write, written))) == tuple(written)


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    for name in SEEDS:
        shutil.copy(SEEDS_DIR / f"{name}.csv", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("micro(filter_use) is high", "micro(filter_uze) is high",
         "The rule 'C2' in {file} has 'filter_uze' in its condition, which is no name for "
         "micro(): did you mean 'filter_use'?"),
        ("benchmark(cart_to_checkout_rate) is low,", "benchmark(cart_rate) is low,",
         "The rule 'K1' in {file} has 'cart_rate' in its condition, which is no name for "
         "benchmark(): did you mean 'add_to_cart_rate'?"),
        ("dwell(product)", "dwell(home)", "no name for dwell(): did you mean 'product'?"),
        ("tracking(core)", "tracking(coer)", "no name for tracking(): did you mean 'core'?"),
        ("is low on device=mobile", "is low on devise=mobile",
         "The rule 'P4' in {file} has 'devise' in its condition, which is no segment: did you "
         "mean 'device'?"),
        ("H1,10,", "H1,first,", "The priority 'first' of the rule 'H1' in {file}"),
        ('Hotjar)",false,', 'Hotjar)",false,x', "The sized_by 'x' of the rule 'H1' in {file}"),
        ("Offer guest checkout", " ", "The fix of the rule 'X1' in {file} is missing: add it."),
        ("confirm_with,", "confirm,", "has no column 'confirm_with'"),
    ],
)  # fmt: skip
def test_a_broken_playbook_is_refused_when_the_seeds_are_read(
    seeds: Path, old: str, new: str, said: str
) -> None:
    path = seeds / "diagnosis_playbook.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    with pytest.raises(SeedError) as caught:
        load_plan(seeds)
    assert said.format(file=path) in str(caught.value)


def level(metric: str, is_on: str, segment: str = "all", **other: object) -> dict[str, object]:
    family, name = metric.removesuffix(")").split("(")
    name_of = {"all": "all"}.get(segment, "device")
    return {
        "property_id": "1", "window_name": "28d", "segment_name": name_of, "segment_value": segment,
        "window_start": DAY, "window_end": DAY, "family": family, "name": name, "metric": metric,
        "level": is_on, "reason": "own_below", "numerator": 30.0, "denominator": 100.0,
        "numerator_key": name, "denominator_key": "sessions", "value": 0.3, "detail": None,
        "comparison_low": 0.4, "comparison_high": 0.5, "is_complete": True, "maturity": "final",
        **other,
    }  # fmt: skip


def fired(condition: str, *rows: dict[str, object]) -> list[str]:
    found = diagnose(pd.DataFrame(rows), [Rule("R1", clauses(condition))])
    assert found.schema == SCHEMA
    return found["segment_value"].to_pylist()


@pytest.mark.parametrize(
    ("condition", "levels", "holds"),
    [
        ("micro(a) is low", {"a": "low"}, True),
        ("micro(a) is low", {"a": "normal"}, False),
        ("micro(a) is low", {"a": "unknown"}, False),
        ("micro(a) is not low", {"a": "normal"}, True),
        ("micro(a) is not low", {"a": "high"}, True),
        # What is not known is not known to be fine.
        ("micro(a) is not low", {"a": "unknown"}, False),
        ("micro(a) is not low", {"b": "high"}, False),
        ("micro(a) is unknown", {"b": "high"}, True),
        ("micro(a) is not unknown", {"a": "low"}, True),
        # Of several names one is enough; negated, none may be.
        ("micro(a, b) is low", {"a": "normal", "b": "low"}, True),
        ("micro(a, b) is not low", {"a": "normal", "b": "low"}, False),
        ("micro(a, b) is not low", {"a": "unknown", "b": "normal"}, True),
        ("micro(a) is low and micro(b) is high", {"a": "low", "b": "high"}, True),
        ("micro(a) is low and micro(b) is high", {"a": "low", "b": "normal"}, False),
    ],
)
def test_when_a_condition_holds(condition: str, levels: dict[str, str], holds: bool) -> None:
    rows = [level(f"micro({name})", value) for name, value in levels.items()]
    assert fired(condition, *rows) == (["all"] if holds else [])


def test_each_part_of_the_shop_is_tried_by_itself() -> None:
    rows = [
        level("micro(a)", "low", "mobile"),
        level("micro(a)", "normal", "desktop"),
        level("micro(a)", "unknown"),
    ]
    assert fired("micro(a) is low", *rows) == ["mobile"]
    assert fired("micro(a) is not low", *rows) == ["desktop"]


def test_a_rule_that_names_parts_is_reported_once_under_the_first() -> None:
    rows = [
        level("micro(a)", value, part) for part, value in (("mobile", "low"), ("desktop", "high"))
    ]
    condition = "micro(a) is low on device=mobile and micro(a) is not low on device=desktop"
    assert fired(condition, *rows, level("micro(a)", "low")) == ["mobile"]
    assert fired(condition, rows[0], level("micro(a)", "low", "desktop")) == []
    assert fired(condition, rows[0]) == []
    assert fired("micro(a) is low on all=all", *rows, level("micro(a)", "low")) == ["all"]


def test_evidence_is_what_the_rule_rests_on() -> None:
    rows = [
        level("micro(a)", "low"),
        level("micro(b)", "normal", maturity="provisional", is_complete=False),
        level("micro(c)", "unknown"),
        level("micro(d)", "low"),
    ]
    rule = Rule("R1", clauses("micro(a, b, c) is low and micro(b, c) is not low"))
    (row,) = diagnose(pd.DataFrame(rows), [rule]).to_pylist()
    assert [number["metric"] for number in json.loads(row["evidence_numbers"])] == [
        "micro(a)",
        "micro(b)",
    ]
    assert (row["is_complete"], row["maturity"]) == (False, "provisional")
    assert row["window_end"] == DAY.date()


def test_evidence_is_how_many_signals_hold_and_how_far() -> None:
    """0.3 under 0.4 is a quarter off, 0.3 under 0.6 a half; 0.8 over 0.5 is 3/8. What is not low is
    as far from the bound of low. A tag that is there is no signal, a missing one has no distance.
    """
    rows = [
        level("micro(a)", "low"),
        level("micro(b)", "low", comparison_low=0.6),
        level("micro(c)", "high", value=0.8),
        level("micro(d)", "normal", value=0.45, comparison_low=0.36),
        level("tracking(e)", "tracked", value=None, comparison_low=None, reason="tracked"),
        level("tracking(f)", "missing", value=None, comparison_low=None, reason="not_tracked"),
        level("carts(lost)", "high", value=84.0, comparison_high=None, reason="volume"),
    ]
    rules = {
        "micro(a) is low": (1, 1 / 4),
        "micro(a, b) is low": (2, 3 / 8),
        "micro(b) is low and micro(c) is high": (2, 7 / 16),
        "micro(a) is low and micro(d) is not low": (2, (1 / 4 + 1 / 5) / 2),
        "micro(a) is low and tracking(e) is tracked": (1, 1 / 4),
        "micro(a) is low and tracking(f) is missing": (2, 1 / 4),
        "micro(a) is low and carts(lost) is high": (2, 1 / 4),
        "tracking(f) is missing": (1, 0),
    }
    found = diagnose(pd.DataFrame(rows), [Rule(text, clauses(text)) for text in rules]).to_pylist()
    told = {row["rule"]: (row["signal_count"], row["signal_distance"]) for row in found}
    assert told == {rule: (count, pytest.approx(far)) for rule, (count, far) in rules.items()}


def test_directional_evidence_is_called_so() -> None:
    row = level(
        "benchmark(add_to_cart_rate)", "low", reason="directional_moderate", numerator=0.0,
        denominator=40.0, value=0.0, numerator_key="add_to_cart", denominator_key="product_view",
        comparison_low=0.05, comparison_high=0.10,
    )  # fmt: skip
    found = diagnose(
        pd.DataFrame([row]), [Rule("R1", clauses("benchmark(add_to_cart_rate) is low"))]
    )
    assert found["evidence"].to_pylist() == [
        "add to cart in 0 of 40 sessions with product view (0.0 %), leaning below the benchmark "
        "of 5.0 % to 10.0 % (directional, moderate)."
    ]


def test_what_is_not_known_is_said() -> None:
    rows = [level("micro(b)", "unknown", reason="too_few"), level("micro(c)", "low")]
    found = diagnose(pd.DataFrame(rows), [Rule("R1", clauses("micro(a, b) is unknown"))])
    assert found["evidence"].to_pylist() == [
        "micro(a) is not known (not measured); micro(b) is not known (too few)."
    ]


def test_no_levels_are_no_findings() -> None:
    empty = pd.DataFrame([level("micro(a)", "low")]).iloc[:0]
    assert diagnose(empty, [Rule("R1", clauses("micro(a) is unknown"))]).num_rows == 0
