"""Each rule of the playbook fires in the shop made for it, and stays silent in the others."""

import json

import pytest

from tests.dbt.playbook_shops import PROPERTIES, SHOPS
from tests.dbt.warehouse import Warehouse


def findings(hand_made: Warehouse, shop: str, columns: str, rule: str = "%") -> list[tuple]:
    return hand_made.query(
        f"select {columns} from marts.fct_diagnosis "
        "where property_id = ? and window_name = '28d' and rule like ? order by diagnosis_rank",
        [PROPERTIES[shop], rule],
    )


@pytest.mark.parametrize("shop", SHOPS)
def test_exactly_its_rule_fires(hand_made: Warehouse, shop: str) -> None:
    _, expected = SHOPS[shop]
    fired = hand_made.query(
        "select rule, segment_value from intermediate.int_diagnosis__fired "
        "inner join seeds.diagnosis_playbook using (rule) "
        "where property_id = ? and window_name = '28d' and not is_fallback",
        [PROPERTIES[shop]],
    )
    assert set(fired) == expected


def test_there_is_a_shop_for_every_rule(hand_made: Warehouse) -> None:
    rules = {
        rule
        for (rule,) in hand_made.query(
            "select rule from seeds.diagnosis_playbook where not is_fallback"
        )
    }
    assert {rule for _, fired in SHOPS.values() for rule, _ in fired} == rules


# Shop -> what is told: of a finding's own part of the shop, and of no other.
TOLD = {
    "none": set(),
    "T1": {("T1", "all")},
    "H1": {("H1", "all")},
    "P1": {("P1", "all")},
    "P4": {("P4", "mobile")},
    "P6": {("P6", "all")},
    "K2": {("K1", "all"), ("K2", "all")},
    "X3": {("X3", "all")},
    "X4": {("X3", "mobile"), ("X4", "mobile")},
}


@pytest.mark.parametrize("shop", TOLD)
def test_one_cause_is_told_once(hand_made: Warehouse, shop: str) -> None:
    """The part of the shop where it is; a fallback only where no rule says why."""
    assert set(findings(hand_made, shop, "rule, segment_value")) == TOLD[shop]


@pytest.mark.parametrize("shop", TOLD)
def test_ranks_leave_no_number_out(hand_made: Warehouse, shop: str) -> None:
    ranks = [rank for (rank,) in findings(hand_made, shop, "diagnosis_rank")]
    assert ranks == list(range(1, len(ranks) + 1))


def test_why_it_was_lost_comes_before_what_is_to_be_won_back(hand_made: Warehouse) -> None:
    """That many carts are lost, which K2 has beside all that K1 has, is no evidence of a cause."""
    signals = findings(hand_made, "K2", "rule, signal_count")
    assert signals == [("K1", 2), ("K2", 3)]


def test_a_cause_names_its_finding(hand_made: Warehouse) -> None:
    ((scope, step, finding),) = hand_made.query(
        "select scope, step_key, finding_id from marts.fct_finding where property_id = ?",
        [PROPERTIES["X4"]],
    )
    assert scope == '[{"segment_name": "device", "segment_value": "mobile"}]'
    assert step == "purchase"
    assert {found for (found,) in findings(hand_made, "X4", "finding_id")} == {finding}
    assert findings(hand_made, "H1", "finding_id") == [(None,)]


def test_where_to_look(hand_made: Warehouse) -> None:
    """Of equal days, and so with phi 1. mug: 56 of 5,600 beside 504 of 25,200, nine products alike;
    /sale: 168 of 16,800 beside 336 of 16,800, two pages alike. It lacks 5 % of 33,600 - 504.
    """
    found = hand_made.query(
        "select kind, detail_name, numerator, denominator, outside_rate, shrunk_rate, shortfall, "
        "shortfall_share, is_of_scope from marts.fct_finding_detail "
        "where property_id = ? and step_key = 'add_to_cart' order by detail_rank",
        [PROPERTIES["P6"]],
    )
    sale, mug = shrunk(168, 16_800, [(168, 8_400)] * 2), shrunk(56, 5_600, [(56, 2_800)] * 9)
    assert [sale, mug] == pytest.approx([0.010111, 0.011861], abs=1e-6)
    lacking = 0.05 * 33_600 - 504
    expected = [
        ("landing_page", "/sale", 168, 16_800, 0.02, sale, 16_800 * (0.02 - sale), 504),
        ("product", "mug", 56, 5_600, 0.02, mug, 5_600 * (0.02 - mug), 560),
    ]
    assert found == [
        pytest.approx((*row, shortfall, shortfall / all_of_kind * 504 / lacking, True))
        for *row, shortfall, all_of_kind in expected
    ]


def test_which_recordings_to_watch(hand_made: Warehouse) -> None:
    """X4 is about phones, and paying there; P6 has no cause with a signal. /sale, where P6 does
    worse, is no page of its step, and no page is known to have one.
    """
    found = hand_made.query(
        "select tool, page_path, device, signal from marts.fct_finding_recording "
        "where property_id in ? order by property_id, tool",
        [[PROPERTIES["P6"], PROPERTIES["X4"]]],
    )
    assert found == [
        ("clarity", None, None, None),
        ("hotjar", None, None, None),
        ("clarity", None, "mobile", "error_click"),
        ("hotjar", None, "mobile", None),
    ]


def shrunk(x: int, n: int, others: list[tuple[int, int]]) -> float:
    """A rate drawn to that of itself and the others together, by the method of moments."""
    parts = [(x, n), *others]
    total = sum(trials for _, trials in parts)
    rate = sum(hits for hits, _ in parts) / total
    spread = sum(trials * (hits / trials - rate) ** 2 for hits, trials in parts)
    within = rate * (1 - rate)
    between = (spread - within * (len(parts) - 1)) / (total - sum(t**2 for _, t in parts) / total)
    strength = within / between - 1
    return (x + strength * rate) / (n + strength)


def test_nothing_is_named_where_nothing_stands_out(hand_made: Warehouse) -> None:
    named = "select distinct property_id from marts.fct_finding_detail where property_id in ?"
    assert hand_made.query(named, [list(PROPERTIES.values())]) == [(PROPERTIES["P6"],)]


@pytest.mark.parametrize(
    ("shop", "sentence"),
    [
        # Floor 5 %: 252 of 16,800 on mobile and 1,260 of 16,800 on desktop.
        (
            "P4",
            "Mobile lacks 588 sessions to the floor; the rest of the shop has 420 more than it, so "
            "the whole lacks 168.",
        ),
        # Floor 50 %: 280 of 700 on mobile and 420 of 700 on desktop.
        (
            "X4",
            "Mobile lacks 70 sessions to the floor; the rest of the shop has 70 more than it, so "
            "the whole lacks none.",
        ),
        ("P1", None),
    ],
)
def test_what_the_rest_makes_up_for_is_said(
    hand_made: Warehouse, shop: str, sentence: str | None
) -> None:
    found = hand_made.query(
        "select surplus_sentence from marts.fct_finding where property_id = ?", [PROPERTIES[shop]]
    )
    assert found == [(sentence,)]


def test_the_cause_that_more_speaks_for_comes_first(hand_made: Warehouse) -> None:
    """Before the one with the smaller priority: that desktop is fine speaks for phones."""
    ranked = findings(hand_made, "X4", "rule, priority, signal_count")
    assert [(rule, priority) for rule, priority, _ in ranked] == [("X4", 54), ("X3", 53)]
    assert ranked[0][2] > ranked[1][2]


def test_a_shop_as_ever_has_no_diagnosis_in_any_window(hand_made: Warehouse) -> None:
    assert (
        hand_made.query(
            "select * from marts.fct_diagnosis where property_id = ?", [PROPERTIES["none"]]
        )
        == []
    )


def test_evidence_in_words_and_numbers(hand_made: Warehouse) -> None:
    ((evidence, numbers),) = findings(hand_made, "P2", "evidence, evidence_numbers")
    # 28 days of 1,200 sessions with a product view, of which 18 add to cart; 2,400 views.
    assert evidence == (
        "product pages were looked at for 90 s a view (67,200 views), above the upper quarter of "
        "the shop's own weeks before (60 s); add to cart in 504 of 33,600 sessions with product "
        "view (1.5 %), below the benchmark of 5.0 % to 10.0 %."
    )
    dwell, adds = json.loads(numbers)
    assert dwell == {
        "metric": "dwell(product)", "segment_name": "all", "segment_value": "all", "level": "high",
        "reason": "own_above", "value": 90.0, "numerator": 6_048_000.0, "denominator": 67_200.0,
        "comparison_low": 60.0, "comparison_high": 60.0, "detail": None,
    }  # fmt: skip
    assert (adds["value"], adds["numerator"], adds["denominator"]) == (0.015, 504.0, 33_600.0)
    assert (adds["comparison_low"], adds["comparison_high"]) == (0.05, 0.10)


def test_a_rule_that_compares_devices_shows_both(hand_made: Warehouse) -> None:
    ((evidence,),) = findings(hand_made, "P4", "evidence")
    assert evidence == (
        "add to cart in 252 of 16,800 sessions with product view (1.5 %) on mobile, below the "
        "benchmark of 5.0 % to 10.0 %; add to cart in 1,260 of 16,800 sessions with product view "
        "(7.5 %) on desktop, not below the benchmark of 5.0 % to 10.0 %."
    )


def test_a_missing_stage_is_named(hand_made: Warehouse) -> None:
    assert findings(hand_made, "T1", "evidence, stage, diagnosis_rank") == [
        ("checkout start is not tracked.", "site", 1)
    ]


def test_the_size_of_lost_carts(hand_made: Warehouse) -> None:
    rows = findings(
        hand_made, "K2",
        "segment_value, lost_carts, recovery_rate, average_order_value, recoverable_value, "
        "currency", "K2",
    )  # fmt: skip
    # 28 days of 90 carts and 12 orders of EUR 50; 10 % of the carts won back.
    assert rows[0] == ("all", 2184, 0.10, 50.0, pytest.approx(10_920.0), "EUR")
    assert rows[1:] == []
    assert set(findings(hand_made, "K2", "recoverable_value, currency", "K1")) == {(None, None)}


def test_no_text_claims_more_than_it_knows(hand_made: Warehouse) -> None:
    texts = hand_made.query(
        "select likely_cause || fix || confirm_with || evidence from marts.fct_diagnosis "
        "union all select likely_cause || fix || confirm_with from seeds.diagnosis_playbook"
    )
    assert len(texts) > len(SHOPS)
    for (text,) in texts:
        assert "likely" in text.lower() or "evidence" in text
        assert "significan" not in text.lower()
        assert "because" not in text.lower()
