"""Experiments and changes on the page, what to test next, and which change a finding goes with."""

from dataclasses import replace
from datetime import date

import pytest

from pipelines.analysis.experiments.register import NAIVE
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.register import Change, Experiment, Planned
from pipelines.report.sections.finding_cards import finding_cards
from pipelines.report.sections.plan_section import plan_section
from pipelines.report.sections.register_section import register_section
from pipelines.report.sections.verdict import rest, verdict
from tests.support.empty_page import EMPTY
from tests.unit.report.test_report_sections import FINDING, LEAKING, said

PAY = Change(
    "pay", "change", "One page instead of three", "checkout", "Checkout", None, "all",
    date(2026, 6, 19), None, "running", "", False,
)  # fmt: skip
CTA = replace(
    PAY, change_id="cta", kind="experiment", description="A green button is seen sooner",
    stage="product", stage_label="Product page", page="/shoes", device="mobile",
    start_date=date(2026, 6, 1),
)  # fmt: skip
GREEN = Experiment(
    "cta", "green", "control", "A green button is seen sooner", "running", date(2026, 6, 1), None,
    "add_to_cart", 585, 5000, 0.117, 500, 5000, 0.1, 0.017, True, True, -0.00274, 0.03674,
    "keep running", "'green' is not told apart.", 3, "keep running", "'green' is not told apart.",
    0, False, None, None,
)  # fmt: skip
SHOP = replace(EMPTY, changes=(PAY, CTA), experiments=(GREEN,))


def card(**columns: object) -> tuple[str, str, dict[str, str]]:
    """Kind, mark and lines of the only experiment's card."""
    section = register_section(replace(SHOP, experiments=(replace(GREEN, **columns),)))  # type: ignore[arg-type]
    assert section is not None
    (one,) = section.cards
    return (
        one.kind,
        said(one.mark),
        {name: said(text) for name, text in one.lines if isinstance(text, str)},
    )


def test_nothing_is_still_to_come_of_what_has_ended() -> None:
    assert card()[2]["Still to come"] == "about 3 weeks"
    assert "Still to come" not in card(state="withdrawn")[2]


def test_a_rate_of_0_is_told() -> None:
    _, _, lines = card(numerator=0, rate=0.0, difference=-0.1, ci_low=-0.11, ci_high=-0.09)
    told = "Add to cart: 0.0 % (0 of 5,000) against 10.0 %"
    assert lines["green against control"].startswith(told)


CHECKOUT = Planned("checkout_start", "add_to_cart", 628, 1133, 628 / 1133, 0.2, 3, 0.161, "primary")
PURCHASE = Planned("purchase", "sessions", 224, 26060, 224 / 26060, 0.2, 60, 0.883, "guardrail")
CERTAIN = Planned("cart_view", "add_to_cart", 1061, 1133, 1061 / 1133, 0.2, None, None, None)


def test_the_plan_is_drawn_with_what_is_recommended() -> None:
    section = plan_section(replace(EMPTY, planned=(CHECKOUT, PURCHASE, CERTAIN)))
    assert section is not None
    assert [said(text) for text in section.summary] == [
        "The next test, of a lift of 20 %, is best decided with checkout start as primary metric "
        "(3 weeks) and purchase as guardrail (60 weeks)."
    ]
    (chart,) = section.bars
    assert said(chart.title) == ("Weeks until a lift of 20 % shows, by the metric that decides")
    assert [(mark.label, said(mark.text), mark.share) for mark in chart.marks] == [
        ("Checkout start (primary metric)", "3 weeks; four weeks show a lift of 16.1 %; now "
         "55.4 % (628 of 1,133) with add to cart", 3 / 60),
        ("Purchase (guardrail)", "60 weeks; four weeks show a lift of 88.3 %; now 0.86 % (224 of "
         "26,060)", 1),
    ]  # fmt: skip
    assert said(section.notes[0]) == "Too high to rise by 20 %: cart view 93.6 % (1,061 of 1,133)."


def test_a_plan_without_a_metric_that_can_show_it() -> None:
    section = plan_section(replace(EMPTY, planned=(CERTAIN,)))
    assert section is not None
    assert [said(text) for text in section.summary] == [
        "No metric can show a lift of 20 %: a test would have to try something larger."
    ]


def test_a_shop_without_a_register_has_no_section() -> None:
    assert register_section(EMPTY) is None
    assert plan_section(EMPTY) is None


def test_what_is_registered_is_counted() -> None:
    ended = replace(CTA, change_id="old", state="ended")
    section = register_section(replace(SHOP, changes=(PAY, CTA, ended)))
    assert section is not None
    assert section.summary == ("1 experiment, 1 of them running; 1 change of the site.",)


def test_an_experiment_says_its_verdict_with_the_interval_and_the_weeks_left() -> None:
    assert card() == (
        "keep_running",
        "▶ running · 1 Jun 2026 on",
        {
            "Verdict": "Not decided yet: keep it running",
            "Why": "'green' is not told apart.",
            "green against control": (
                "Add to cart: 11.7 % (585 of 5,000) against 10.0 % (500 of 5,000); +1.7 points "
                "(95 % interval −0.3 to +3.7 points, whenever looked at)"
            ),
            "Still to come": "about 3 weeks",
        },
    )


def test_what_to_know_of_the_counts_is_said() -> None:
    assert "To know" not in card()[2]
    _, _, lines = card(users_left_out=3, naive_variance=True, note="Not landed: 1.")
    assert lines["To know"] == f"3 users saw several variants: left out. {NAIVE} Not landed: 1."


@pytest.mark.parametrize("verdict", ["invalid", None])
def test_a_hidden_result_has_no_number(verdict: str | None) -> None:
    hidden = dict.fromkeys(("rate", "control_rate", "difference", "ci_low", "ci_high"))
    _, _, lines = card(
        **hidden, weeks_left=None, verdict=verdict, experiment_verdict=verdict,
        experiment_reason="The units are not split as planned.",
    )  # fmt: skip
    assert lines == {
        "Verdict": "Invalid: its result is not shown" if verdict else "None yet",
        "Why": "The units are not split as planned.",
    }


def test_a_ratio_of_users_is_no_per_cent() -> None:
    _, mark, lines = card(
        is_share=False, is_nightly=False, state="ended", end_date=date(2026, 6, 21), rate=1.25,
        control_rate=1.0, difference=0.25, ci_low=0.05, ci_high=0.45,
    )  # fmt: skip
    assert mark == "■ ended · 1 Jun 2026 to 21 Jun 2026"
    assert lines["green against control"] == (
        "Add to cart: 1.25 (585 of 5,000) against 1 (500 of 5,000); 0.25 (95 % interval 0.05 to "
        "0.45)"
    )


def test_what_was_changed_or_taken_out_after_the_start_is_said() -> None:
    edits = "primary_metric was add_to_cart, is purchase (noticed 2026-06-12)"
    _, mark, lines = card(state="withdrawn", end_date=date(2026, 6, 21), edits=edits)
    assert mark == "✕ withdrawn · 1 Jun 2026 to 21 Jun 2026"
    assert lines["Changed after its start"] == edits


def test_what_is_long_over_is_a_row_each() -> None:
    """The log forgets nothing, and does not push what runs now off the screen."""
    over = [
        replace(
            GREEN, experiment_id=f"old{one}", state="withdrawn" if one % 2 else "ended",
            hypothesis=f"Number {one}", start_date=date(2026, 5, 20 - one),
            end_date=date(2026, 5, 30 - one), experiment_verdict="reject",
        )
        for one in range(7)
    ]  # fmt: skip
    section = register_section(replace(SHOP, experiments=(GREEN, *over)))
    assert section is not None
    assert [one.title for one in section.cards] == [GREEN.hypothesis, *(
        f"Number {one}" for one in range(4)
    )]  # fmt: skip
    before, changed = section.tables
    assert (before.caption, changed.caption) == ("Tried before", "What was changed")
    assert [tuple(said(str(cell)) for cell in row) for row in before.rows] == [
        (f"{20 - one} May 2026", f"{30 - one} May 2026", f"Number {one}", "Add to cart",
         "Reject: it does harm")
        for one in range(4, 7)
    ]  # fmt: skip


def test_changes_are_listed_with_what_speaks_against_them() -> None:
    changes = (PAY, replace(PAY, stage_label="Whole site", overlaps_with="cta", confounded=True))
    section = register_section(replace(EMPTY, changes=changes))
    assert section is not None
    assert section.summary == ("0 experiments, 0 of them running; 2 changes of the site.",)
    assert section.cards == ()
    assert [row[2:] for row in section.tables[0].rows] == [
        ("checkout", "–", "yes"),
        ("whole site", "–", "no: overlaps with cta and several elements at once"),
    ]


# The finding's rate fell between the 20th and the 22nd of June, on mobile.
@pytest.mark.parametrize(
    ("change", "is_near"),
    [
        ({}, True),
        ({"start_date": date(2026, 6, 13)}, True),
        ({"start_date": date(2026, 6, 12)}, False),
        ({"start_date": date(2026, 6, 22)}, True),
        ({"start_date": date(2026, 6, 23)}, False),
        ({"device": "mobile"}, True),
        ({"device": "desktop"}, False),
    ],
)
def test_a_change_before_a_finding_stands_on_its_card(change: dict, is_near: bool) -> None:
    found = told(replace(LEAKING, changes=(replace(PAY, **change),)))
    assert ("Changed at that time" in found) == is_near
    named = "“One page instead of three”" if is_near else "a release, a campaign, a tag"
    assert f"See what changed between 20 Jun 2026 and 22 Jun 2026 ({named})" in found["What to do"]


@pytest.mark.parametrize(
    ("stage", "is_first"),
    [("cart", True), ("checkout", True), ("site", True), ("product", False), ("home", False)],
)
def test_what_to_do_begins_with_a_change_near_the_step(stage: str, is_first: bool) -> None:
    bought = replace(LEAKING.findings[0], stage="outcome", previous_stage="checkout")
    found = told(replace(LEAKING, findings=(bought,), changes=(replace(PAY, stage=stage),)))
    assert "Changed at that time" in found
    assert ("“One page instead of three”" in found["What to do"]) == is_first


def test_what_a_card_says_of_a_change() -> None:
    shop = replace(LEAKING, changes=(replace(CTA, start_date=date(2026, 6, 20)), PAY))
    assert told(shop)["Changed at that time"] == (
        "19 Jun 2026, “One page instead of three”, checkout; 20 Jun 2026, experiment “A green "
        "button is seen sooner”, product page, /shoes, mobile"
    )


AFTER = (
    "It rose again after a change (19 Jun 2026, “One page instead of three”, checkout): they go "
    "together, which does not prove that the one caused the other."
)


def test_what_healed_after_a_change_says_so_as_association() -> None:
    rising = replace(FINDING, state="improving", recovered_date=date(2026, 6, 24))
    assert told(replace(LEAKING, findings=(rising,), changes=(PAY,)))["Since it rose"] == AFTER
    healed = replace(FINDING, state="healed", recovered_date=date(2026, 6, 26))
    shop = replace(LEAKING, findings=(healed,), changes=(PAY,))
    assert [said(text) for text in verdict(shop)[:2]] == [FINDING.title, AFTER]
    section = register_section(shop)
    assert section is not None
    assert [said(text) for text in section.summary[1:]] == [f"{FINDING.title} {AFTER}"]
    # Eight days are too long.
    later = replace(shop, findings=(replace(healed, recovered_date=date(2026, 6, 27)),))
    assert verdict(later) == (FINDING.title, *rest(later))


def told(shop: PropertyData) -> dict[str, str]:
    (one,) = finding_cards(shop)
    return {name: said(text) for name, text in one.lines if isinstance(text, str)}
