"""Signs of friction on the page, and beside a finding."""

from dataclasses import replace
from datetime import UTC, datetime

from pipelines.report.rows.friction import Sign, Snapshots
from pipelines.report.sections.finding_cards import finding_cards
from pipelines.report.sections.friction_section import friction_section
from tests.support.empty_page import EMPTY
from tests.unit.report.test_report_sections import LEAKING, said

RAGE = Sign(None, "/pay", "mobile", "rage_click", 31, 10, 10 / 31, 2_000, 9, 0.0045)
TAKEN = Snapshots(datetime(2026, 7, 1, 3, 30, tzinfo=UTC), 24, 20, 0, True, None)
SHOP = replace(EMPTY, friction=(RAGE,), snapshots=TAKEN)


def test_a_shop_without_clarity_has_no_section() -> None:
    assert friction_section(EMPTY) is None


def test_what_is_clearly_more_often_stands_with_its_counts() -> None:
    section = friction_section(SHOP)
    assert section is not None
    assert section.summary == (
        "In the 24 hours to 1 Jul 2026 03:30 UTC, 1 sign of friction came clearly more often on a "
        "page than in all visits.",
    )
    (row,) = section.tables[0].rows
    assert [said(str(cell)) for cell in row] == [
        "/pay", "mobile", "Rage click", "32.3 % (10 of 31)", "0.45 % (9 of 2,000)",
    ]  # fmt: skip


def test_gaps_rows_that_are_missing_and_a_failed_night_are_said() -> None:
    told = replace(TAKEN, hours_lost=49, is_complete=False, problem="Clarity refused the token.")
    section = friction_section(replace(SHOP, friction=(), snapshots=told))
    assert section is not None
    assert section.summary == (
        "In the 24 hours to 1 Jul 2026 03:30 UTC, no sign of friction came clearly more often on "
        "a page than in all visits. Clarity told 1,000 rows at most: rare pages are missing.",
        "49 hours of the last 28 days are in no snapshot; Clarity does not tell them any more.",
        "The newest snapshot could not be taken: Clarity refused the token.",
    )
    assert section.tables == ()


def test_where_no_night_ever_succeeded_only_that_is_said() -> None:
    told = Snapshots(None, None, 0, 0, None, "Clarity refused the token.")
    section = friction_section(replace(EMPTY, snapshots=told))
    assert section is not None
    assert section.summary == (
        "The newest snapshot could not be taken: Clarity refused the token.",
    )


def test_a_card_has_the_friction_of_its_own_place() -> None:
    own = replace(RAGE, finding_id="f1")
    shop = replace(
        LEAKING, snapshots=TAKEN, friction_of_findings=(own, replace(own, finding_id="f2"))
    )
    (card,) = finding_cards(shop)
    told = dict(card.lines)
    assert said(str(told["Friction there"])) == (
        "rage click on /pay, mobile: 32.3 % (10 of 31), in all visits 0.45 % (Clarity, 24 hours to "
        "1 Jul 2026 03:30 UTC; no proof of a cause)"
    )
    (card,) = finding_cards(LEAKING)
    assert "Friction there" not in dict(card.lines)
