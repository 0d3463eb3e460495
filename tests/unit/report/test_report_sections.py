"""What the page says of a shop: the verdict, missing numbers, nothing at all. No database."""

from dataclasses import replace
from datetime import date

import pytest

from pipelines.report.page_data import Alert, Coverage, Finding, Judged, Leak, Step
from pipelines.report.sections.advice_sections import diagnosis_section, tracking_section
from pipelines.report.sections.change_sections import alert_section, change_section
from pipelines.report.sections.funnel_sections import device_section, funnel_section
from pipelines.report.sections.leak_section import leak_section, verdict
from pipelines.report.sections.micro_section import micro_section
from pipelines.report.sections.quality_section import quality_section
from tests.support.empty_page import EMPTY

SESSIONS = Step(
    segment_name="all", segment_value="all", step_key="sessions", step_label="Sessions",
    previous_label=None, reached=2000, previous_reached=None, rate=None, ci_low=None, ci_high=None,
    state="entry", benchmark_low=None, benchmark_high=None, verdict=None, weeks_to_know=None,
    directional_evidence=None, source=None, prior_rate=None, change=None, change_low=None,
    change_high=None, window_start=date(2026, 6, 3), window_end=date(2026, 6, 30), window_days=28,
    days_loaded=28, is_complete=True, maturity="final",
)  # fmt: skip
ADDED = replace(
    SESSIONS, step_key="add_to_cart", step_label="Added", previous_label="Sessions", reached=60,
    previous_reached=2000, rate=0.03, ci_low=0.0234, ci_high=0.0384, state="measured",
    benchmark_low=0.05, benchmark_high=0.1, verdict="below",
)  # fmt: skip
LEAK = Leak(
    leak_order=1, segment_name="all", segment_value="all", step_key="add_to_cart",
    step_label="Added", previous_label="Sessions", numerator=60, denominator=2000, rate=0.03,
    benchmark_low=0.05,
    p05=700.0, p50=1234.0, p95=1800.0, p50_reduced=617.0,
    p_gap=0.99, p_biggest=0.9, allocated=1200.0, currency="EUR", is_leak=True, state="leak",
)  # fmt: skip
MOBILE = replace(
    LEAK, leak_order=2, segment_name="device", segment_value="mobile", p50=900.0, numerator=20,
    denominator=1000, rate=0.02,
)  # fmt: skip
TAG = Coverage("add_to_cart", "Product page", True, "tracked", 60, None, None)
WHOLE = replace(EMPTY, steps=(SESSIONS, ADDED), coverage=(TAG,))


def said(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_a_leak_is_told_with_its_rate_its_range_and_its_device() -> None:
    assert said(verdict(replace(WHOLE, leaks=(LEAK, MOBILE)))) == (
        "The largest leak is likely between “Sessions” and “Added”: 3.0 % (60 of 2,000) go on "
        "where at least 5 % is usual, worth about €1,230 (€700 to €1,800) in 28 days, most of it "
        "on mobile: 2.0 % (20 of 1,000)."
    )


def test_a_part_of_the_shop_that_costs_more_than_all_of_it_is_the_largest_leak() -> None:
    mobile = replace(MOBILE, leak_order=1, p50=1500.0)
    page = replace(WHOLE, leaks=(replace(LEAK, leak_order=2), mobile))
    assert said(verdict(page)) == (
        "The largest leak is likely between “Sessions” and “Added” (mobile): 2.0 % (20 of 1,000) "
        "go on where at least 5 % is usual, worth about €1,500 (€700 to €1,800) in 28 days."
    )
    assert leak_section(page).summary[0].startswith("Added, device: mobile: worth about €1,500")


def test_a_device_with_less_than_half_is_not_named() -> None:
    small = replace(MOBILE, p50=400.0)
    assert "mobile" not in verdict(replace(WHOLE, leaks=(LEAK, small)))


def test_what_may_be_a_leak_is_not_called_none() -> None:
    unsure = replace(LEAK, is_leak=False, state="no_leak", p_gap=0.67)
    sure = replace(unsure, p_gap=0.01)
    rows = leak_section(replace(WHOLE, leaks=(LEAK, unsure, sure))).tables[0].rows
    assert [row[-1] for row in rows] == ["▼ likely a leak", "○ cannot be told yet", "no leak"]


def test_missing_tracking_comes_before_every_leak() -> None:
    lost = replace(WHOLE, leaks=(LEAK,), coverage=(replace(TAG, state="not_tracked"),))
    assert verdict(lost).startswith("Set up tracking first: without “Added” nobody can tell")


def test_a_finding_opens_the_page() -> None:
    """In the words of fct_finding, with its worth; what healed is called so."""
    finding = Finding("Added after Sessions, mobile: 2 %.", "Worth about 20 EUR.", "new")
    assert verdict(replace(WHOLE, leaks=(LEAK, MOBILE), findings=(finding,))) == (
        "Added after Sessions, mobile: 2 %. Worth about 20 EUR."
    )
    healed = replace(finding, state="healed")
    assert verdict(replace(WHOLE, leaks=(LEAK,), findings=(healed,))) == (
        "Healed: Added after Sessions, mobile: 2 %."
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("within", "No step of the funnel is likely below"),
        ("insufficient_data", "There is too little data yet"),
    ],
)
def test_without_a_leak(status: str, words: str) -> None:
    step = replace(ADDED, verdict=status)
    leak = replace(LEAK, is_leak=False, state="no_leak")
    assert verdict(replace(WHOLE, steps=(SESSIONS, step), leaks=(leak,))).startswith(words)


def test_not_tracked_is_no_zero_in_table_and_chart() -> None:
    step = replace(
        ADDED, reached=None, rate=None, ci_low=None, ci_high=None, state="not_tracked",
        verdict="not_tracked",
    )  # fmt: skip
    section = funnel_section(replace(WHOLE, steps=(SESSIONS, step)))
    assert section.tables[0].rows[1][:3] == ("Added", "not tracked", "not tracked")
    reach = section.figures[0].spec["data"]["values"]
    assert [mark["value"] for mark in reach] == [2000, None]
    assert "Added: not tracked" in section.figures[0].summary


@pytest.mark.parametrize(
    "build",
    [funnel_section, leak_section, device_section, micro_section, change_section, alert_section,
     tracking_section, quality_section, diagnosis_section],
)  # fmt: skip
def test_a_shop_without_a_row_gets_a_sentence(build: object) -> None:
    section = build(EMPTY)  # type: ignore[operator]
    assert section.summary[0].endswith(".")
    assert (section.figures, section.tables, section.cards) == ((), (), ())


ORDERED = replace(
    ADDED, step_key="purchase", step_label="Purchased", previous_label="Added", reached=24,
    previous_reached=60, rate=None, ci_low=None, ci_high=None, state="sessionless",
    verdict="sessionless",
)  # fmt: skip
FIX = "98 of 122 orders came without a session in 28 days: send session_id."
ORDERS = Coverage("purchase", "Order", True, "sessionless", 24, None, FIX)
SERVER_SIDE = replace(WHOLE, steps=(SESSIONS, ADDED, ORDERED), coverage=(TAG, ORDERS))


def test_orders_without_sessions_come_before_every_leak() -> None:
    assert verdict(replace(SERVER_SIDE, leaks=(LEAK,))).startswith(f"{FIX} The largest leak is")
    fine = replace(ADDED, verdict="within")
    assert verdict(replace(SERVER_SIDE, steps=(SESSIONS, fine, ORDERED))) == (
        f"{FIX} No other step of the funnel is likely below the floor of its benchmark."
    )
    thin = replace(ADDED, verdict="insufficient_data")
    assert verdict(replace(SERVER_SIDE, steps=(SESSIONS, thin, ORDERED))) == (
        f"{FIX} There is too little data yet to tell whether any other step leaks."
    )
    lost = replace(SERVER_SIDE, coverage=(replace(TAG, state="not_tracked"), ORDERS))
    assert verdict(lost).endswith(f"nobody can tell where the funnel leaks. {FIX}")


def test_sessionless_is_no_bar_of_0_and_no_rate() -> None:
    section = funnel_section(SERVER_SIDE)
    assert section.tables[0].rows[2][:3] == (
        "Purchased", "came without sessions", "came without sessions (24 of 60)",
    )  # fmt: skip
    assert [mark["value"] for mark in section.figures[0].spec["data"]["values"]] == [2000, 60, None]
    (todo,) = tracking_section(SERVER_SIDE).cards
    assert (todo.kind, todo.mark, todo.lines[0]) == ("missing", "✕ expected", ("To do", FIX))
    assert "orders came without sessions" in change_section(SERVER_SIDE).summary[0]


def test_a_leak_whose_worth_nobody_knows_is_named_without_one() -> None:
    unknown = replace(LEAK, p05=None, p50=None, p95=None, p50_reduced=None, allocated=None)
    assert said(verdict(replace(WHOLE, leaks=(unknown,)))).endswith(
        "where at least 5 % is usual, of unknown worth, for orders are not counted."
    )
    assert "of unknown worth" in leak_section(replace(WHOLE, leaks=(unknown,))).summary[0]


def test_no_diagnosis_and_no_playbook_are_two_things() -> None:
    assert "No rule of the playbook fired" in diagnosis_section(EMPTY).summary[0]
    older = replace(EMPTY, has_diagnosis=False)
    assert "without the playbook" in diagnosis_section(older).summary[0]


def alerts_said(judged: Judged, *alerts: Alert) -> tuple[str, ...]:
    return alert_section(replace(EMPTY, judged=judged, alerts=alerts)).summary


COMPARED = Judged(14, 310, 12, 8, date(2026, 5, 31), date(2026, 6, 27))


def test_quiet_is_what_was_compared() -> None:
    (text,) = alerts_said(COMPARED)
    assert text == (
        "12 of 14 rates were compared with their own weekdays: one, three and seven days up to "
        "each of 31 May 2026 to 27 Jun 2026 (310 comparisons). The others have under 100 sessions "
        "in seven days, or fewer than six weeks to compare with. No day stands out."
    )
    (text,) = alerts_said(replace(COMPARED, tested=14))
    assert "others" not in text


def test_what_was_not_compared_is_not_quiet() -> None:
    # 62 days before the newest one for all that it is compared with, up to the day before the four
    # weeks that are there.
    (text,) = alerts_said(Judged(14, 0, 0, 4, None, date(2026, 6, 27)))
    assert text == (
        "Days can be compared once there are six weeks before them: this shop has 4. Where GA4 has "
        "the days, a backfill gives them at once: sluice backfill --start 2026-04-26 --end "
        "2026-05-29."
    )
    (text,) = alerts_said(Judged(14, 0, 0, 8, None, date(2026, 6, 27)))
    assert text == (
        "No day could be compared: all rates have under 100 sessions in seven days, or fewer than "
        "six weeks to compare with."
    )


def test_an_alert_of_several_days_and_a_lost_tag_without_a_comparison() -> None:
    fall = Alert(
        date(2026, 6, 14), 7, "behaviour", "purchase", "checkout_start",
        "purchase per checkout_start in the 7 days to 2026-06-14: 44.6 % instead of about 61.7 % "
        "on these weekdays.", 66, 148, 66 / 148, 0.617,
    )  # fmt: skip
    lost = replace(fall, window_days=1, alert_class="tracking_lost", message="No purchase.")
    section = alert_section(
        replace(EMPTY, judged=Judged(1, 0, 0, 4, None, date(2026, 6, 27)), alerts=(fall, lost))
    )
    assert section.summary[0].startswith("Days can be compared once")
    assert section.summary[1] == "2 alerts, newest first; what goes on is told once."
    assert [card.lines[0] for card in section.cards] == [
        ("These 7 days", "44.6\u00a0% (66 of 148)"), ("That day", "44.6\u00a0% (66 of 148)"),
    ]  # fmt: skip
    assert section.cards[0].title.startswith("Purchase per checkout start in the 7 days to")
