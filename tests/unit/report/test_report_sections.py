"""What the page says of a shop: the verdict, missing numbers, nothing at all. No database."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from pipelines.analysis.stats.anomalies import Rules
from pipelines.report.components import Link, Section
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.changes import Alert, Factor, Judged
from pipelines.report.rows.findings import Diagnosis, Finding, FindingDay, FindingDetail, Recording
from pipelines.report.rows.funnel import Step
from pipelines.report.rows.items import Carts
from pipelines.report.rows.quality import Growing
from pipelines.report.rows.sales import Sales, SalesWeek
from pipelines.report.rows.tracking import Coverage, Silence
from pipelines.report.sections.advice_sections import hint_section, tracking_section
from pipelines.report.sections.benchmark_section import benchmark_section
from pipelines.report.sections.boxes import boxes
from pipelines.report.sections.change_sections import alert_section, change_section
from pipelines.report.sections.figures import figures
from pipelines.report.sections.finding_cards import finding_cards
from pipelines.report.sections.funnel_section import device_section, funnel_rows
from pipelines.report.sections.micro_section import micro_section
from pipelines.report.sections.quality_section import quality_section
from pipelines.report.sections.verdict import facts, lines, rest, verdict
from tests.support.empty_page import EMPTY

SESSIONS = Step(
    segment_name="all", segment_value="all", step_key="sessions", step_label="Sessions",
    previous_step_key=None, previous_label=None, reached=2000, previous_reached=None, rate=None,
    ci_low=None, ci_high=None, state="entry", benchmark_low=None, benchmark_high=None, verdict=None,
    weeks_to_know=None, directional_evidence=None, source=None, prior_rate=None, change=None,
    change_low=None, change_high=None, window_start=date(2026, 6, 3),
    window_end=date(2026, 6, 30), window_days=28, days_loaded=28, is_complete=True,
)  # fmt: skip
ADDED = replace(
    SESSIONS, step_key="add_to_cart", step_label="Added", previous_step_key="sessions",
    previous_label="Sessions", reached=60,
    previous_reached=2000, rate=0.03, ci_low=0.0234, ci_high=0.0384, state="measured",
    benchmark_low=0.05, benchmark_high=0.1, verdict="below",
)  # fmt: skip
FINDING = Finding(
    finding_id="f1", state="ongoing", earlier_state="ongoing", step_key="add_to_cart",
    step_label="Added", previous_label="Sessions", scope_label="mobile",
    conditions="device = mobile",
    title="Sessions → Added, mobile: has leaked since 21 June 2026 and still does.",
    headline="Added after Sessions, mobile: 2.0 % of 1,000 sessions.",
    worth_sentence="Worth about 20 EUR.", surplus_sentence=None,
    window_start=date(2026, 6, 3), benchmark_low=0.05, benchmark_high=0.1,
    since_date=date(2026, 6, 21), since_earliest=date(2026, 6, 20),
    since_latest=date(2026, 6, 22), recovered_date=None, numerator=20, denominator=1000, rate=0.02,
    before_numerator=60, before_denominator=1000, before_rate=0.06, since_numerator=4,
    since_denominator=400, since_rate=0.01, now_numerator=3, now_denominator=280, now_rate=3 / 280,
    outside_numerator=70, outside_denominator=1000, outside_rate=0.07, worth_since=900.0,
    currency="EUR", explained_share=0.95,
)  # fmt: skip
CAUSE = Diagnosis(
    "f1", "mobile", "Likely a small button", "Make it larger", "Recordings", "20 of 1,000.", None,
    None,
)  # fmt: skip
TAG = Coverage("add_to_cart", "Product page", True, "tracked", 60, None, None)


def with_steps(*steps: Step, shop: PropertyData = EMPTY) -> PropertyData:
    """The shop with these steps in its 28 days."""
    return replace(shop, month=replace(shop.month, steps=steps))


WHOLE = replace(with_steps(SESSIONS, replace(ADDED, verdict="within")), coverage=(TAG,))
RECIPE = Recording("f1", "clarity", "Clarity, mobile.", "https://clarity.example")
LEAKING = replace(
    with_steps(SESSIONS, ADDED), coverage=(TAG,), findings=(FINDING,), diagnoses=(CAUSE,),
    recordings=(RECIPE, replace(RECIPE, finding_id="f2")),
)  # fmt: skip
WATCH = Link("Clarity, mobile.", "https://clarity.example")


DO = (
    "See what changed between 20 Jun 2026 and 22 Jun 2026 (a release, a campaign, a tag). Then: "
    "Make it larger"
)


def said(text: str) -> str:
    return text.replace("\u00a0", " ").replace("\u2060", "")


def joined(shop: PropertyData) -> str:
    """All that the verdict says."""
    return " ".join(verdict(shop))


def test_a_finding_opens_the_page_with_its_worth_and_what_to_do() -> None:
    """In the words of fct_finding."""
    assert verdict(LEAKING) == (FINDING.title,)
    assert lines(LEAKING) == (
        "Worth about 20 EUR.", f"Do first: {DO}.", "Nothing new since the last version.",
    )  # fmt: skip
    assert rest(LEAKING) == ["Nothing else is below its usual range."]


def test_more_findings_are_counted_and_five_of_them_are_cards() -> None:
    many = tuple(replace(FINDING, finding_id=f"f{number}") for number in range(1, 8))
    shop = replace(LEAKING, findings=many)
    assert lines(shop)[2] == "6 more findings below."
    assert [card.title for card in finding_cards(shop)] == [FINDING.title] * 5
    assert rest(shop) == [
        "Nothing else is below its usual range.", "2 smaller findings in the table fct_finding.",
    ]  # fmt: skip


def test_what_is_new_is_told_and_what_was_so_the_night_before_is_not() -> None:
    healed = replace(FINDING, finding_id="f2", state="healed", title="Bought: healed on 9 June.")
    shop = replace(LEAKING, findings=(replace(FINDING, state="new", earlier_state=None), healed))
    assert lines(shop)[-1] == "New: finding 1; Healed: Bought: healed on 9 June."
    older = replace(LEAKING, findings=(FINDING, replace(healed, earlier_state="healed")))
    assert lines(older)[-1] == "Nothing new since the last version."
    # What healed has no card; without another it is the verdict.
    assert [card.title for card in finding_cards(shop)] == [FINDING.title]
    assert joined(replace(LEAKING, findings=(healed,))) == (
        "Bought: healed on 9 June. Nothing else is below its usual range."
    )


def test_missing_tracking_comes_before_every_leak() -> None:
    lost = replace(LEAKING, coverage=(replace(TAG, state="not_tracked", fix="Send add_to_cart."),))
    assert lines(lost)[0] == "Send add_to_cart."
    assert joined(lost).startswith("Set up tracking first: without “Added” nobody can tell")
    silent = replace(lost, silences=(Silence("add_to_cart"),))
    assert joined(silent).startswith(
        "Nobody is counted at “Added” any more: the shop is broken there, or its tracking."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"verdict": "within"}, "No step is below its usual range."),
        (
            {"verdict": "insufficient_data", "weeks_to_know": 5.2},
            "There is too little data yet to tell of Added (known in about 5 weeks).",
        ),
        ({"verdict": "leaning_below"}, "There is too little data yet to tell of Added."),
        ({"verdict": "below"}, "Below the usual range: Added."),
        (
            {"verdict": "withheld", "rate": None},
            "Not known: Added.",
        ),
    ],
)
def test_without_a_finding(change: dict[str, object], words: str) -> None:
    assert joined(with_steps(SESSIONS, replace(ADDED, **change))) == words  # type: ignore[arg-type]


def test_a_version_without_findings_says_so() -> None:
    assert joined(replace(WHOLE, has_findings=False)).startswith("This version is of older code")


def days_of(trials: int) -> tuple[FindingDay, ...]:
    """Twenty days, the last ten of which go on half as often."""
    return tuple(
        FindingDay(
            "f1", date(2026, 6, 11) + timedelta(day), trials // (10 if day < 10 else 20), trials,
            trials // 10, trials,
        )
        for day in range(20)
    )  # fmt: skip


def test_a_card_has_the_stretches_the_dates_and_what_to_watch() -> None:
    (card,) = finding_cards(replace(LEAKING, finding_days=days_of(100)))
    assert card.tag == "goes on"
    assert [kind for kind, _ in card.legend] == ["inside", "outside", "since", "band"]
    assert [(name, said(rate), counts) for name, rate, counts in card.rates] == [
        ("before", "6.0 %", "60 of 1,000"), ("since 21 Jun", "1.0 %", "4 of 400"),
        ("now (last 7 days)", "1.1 %", "3 of 280"), ("elsewhere", "7.0 %", "70 of 1,000"),
    ]  # fmt: skip
    assert dict(card.lines) == {
        "It began": "between 20 Jun 2026 and 22 Jun 2026 (95 % sure)",
        "How much of it": "95\u00a0% of what this step lacks is lost here",
        "Likely cause": "Likely a small button", "What to do": DO,
        "To be sure": "Recordings",
        "Recordings to watch": WATCH,
    }  # fmt: skip
    # What was lost before the 28 days is told only where the 28 days do not hold all of it.
    older = replace(FINDING, since_date=date(2026, 5, 1))
    (card,) = finding_cards(replace(LEAKING, findings=(older,)))
    assert dict(card.lines)["Lost since then"] == "about €900"


def test_a_card_names_what_does_worse_and_what_the_rest_has_beyond_the_floor() -> None:
    coat = FindingDetail("f1", "product", "Coat", 22, 610, 22 / 610, 0.062)
    shop = replace(
        LEAKING,
        findings=(replace(FINDING, surplus_sentence="Mobile lacks 30."),),
        finding_details=(coat, replace(coat, detail_name="Hat"), replace(coat, finding_id="f2")),
    )
    told = dict(finding_cards(shop)[0].lines)
    assert told["Against the rest of the shop"] == "Mobile lacks 30."
    assert "How much of it" not in told
    assert said(told["Products that do clearly worse"]) == (
        "Coat: 3.6 % (22 of 610), others 6.2 %; Hat: 3.6 % (22 of 610), others 6.2 %"
    )
    assert "Landing pages that do clearly worse" not in told


def test_the_chart_is_by_day_or_where_days_are_thin_by_week_from_the_day_it_began() -> None:
    (card,) = finding_cards(replace(LEAKING, finding_days=days_of(100)))
    assert card.trend is not None
    # 20 days of 5 each; the top is 10 % and a little: .10 / (.10 * 1.06) of 40 is 37.74.
    assert card.trend.inside.startswith("M0.0 2.26H5.0V2.26H10.0")
    assert card.trend.inside.endswith("V21.13H100.0")
    assert (card.trend.mark, card.trend.words) == (50.0, FINDING.headline)
    assert card.trend.band == (2.26, 18.87)
    (card,) = finding_cards(replace(LEAKING, finding_days=days_of(20)))
    assert card.trend is not None
    # Weeks from 21 June on, both ways: 3, 7, 7 and 3 days.
    assert card.trend.inside == "M0.0 2.26H15.0V2.26H50.0V21.13H85.0V21.13H100.0"
    assert card.legend[0] == ("inside", "mobile, by week")
    # The line of the rest is as thin.
    thin = tuple(replace(day, outside_denominator=20) for day in days_of(100))
    (card,) = finding_cards(replace(LEAKING, finding_days=thin))
    assert card.legend[0] == ("inside", "mobile, by week")


def test_a_finding_without_a_cause_or_a_date_is_a_card_all_the_same() -> None:
    undated = replace(
        FINDING, since_date=None, since_earliest=None, since_latest=None, before_rate=None,
        since_rate=None, outside_rate=None, conditions="",
    )  # fmt: skip
    (card,) = finding_cards(replace(LEAKING, findings=(undated,), diagnoses=()))
    assert [name for name, *_ in card.rates] == ["in 28 days", "now (last 7 days)"]
    assert card.lines[:2] == (
        ("Likely cause", "No known cause fits these numbers"),
        ("What to do", "Watch where these visits stop"),
    )
    assert card.lines[2:] == (("Recordings to watch", WATCH),)
    assert card.trend is None


SALES = Sales(28, "EUR", 3000.0, 30, 0.015, 100.0, 4000.0, 30, 0.02, None)


def test_figures_stand_against_the_window_before() -> None:
    weeks = (SalesWeek(date(2026, 6, 24), date(2026, 6, 30), 700.0, 7, 0.0149, 100.0),)
    shop = replace(WHOLE, month=replace(WHOLE.month, sales=SALES), sales_weeks=weeks)
    told = figures(shop, shop.month)
    assert [(one.label, said(one.value), said(one.change)) for one in told] == [
        ("Revenue", "€3,000", "▼ −25 % from €4,000"),
        ("Orders", "30", "as before"),
        ("Conversion", "1.5 %", "▼ −25 % from 2.0 %"),
        ("Order value", "€100", "28 days before: not known"),
    ]
    trend = told[0].trend
    assert trend is not None
    assert trend.words == "Revenue, 1 week; the newest: €700."


def test_a_figure_of_a_part_of_the_days_says_so_and_an_unknown_one_is_a_dash() -> None:
    sales = replace(SALES, days=9, revenue=None, currency=None)
    shop = replace(WHOLE, month=replace(WHOLE.month, sales=sales))
    assert [(one.value, one.change) for one in figures(shop, shop.month)][:2] == [
        ("–", "not known"), ("30", "in 9 days"),
    ]  # fmt: skip


def test_how_much_the_newest_days_grow_is_told_where_it_is_known() -> None:
    shop = replace(WHOLE, shop=replace(EMPTY.shop, last_date=date(2026, 6, 30)))
    assert facts(shop) == ("Property 1", "data to Tue 30 Jun 2026")
    growing = replace(shop, growing=Growing(3, 0.012))
    assert said(facts(growing)[-1]) == "the newest 3 days usually still grow by 1.2 %"
    assert facts(replace(shop, growing=Growing(1, None)))[-1] == "the newest 1 day may still grow"


def test_carts_are_worth_what_reminders_may_win_back() -> None:
    carts = Carts(100, 80, 0.8, "measured", 0.1, 800.0, "EUR")
    texts = boxes(replace(WHOLE.month, carts=carts))
    assert said(texts[-1].summary) == (
        "80 of 100 carts ended without an order (80.0 %). If reminders win back 10 % of them (a "
        "house figure): about €800."
    )
    untracked = replace(carts, lost_carts=None, cart_status="not_tracked")
    assert boxes(replace(WHOLE.month, carts=untracked))[-1].summary == "Not known: not tracked."


def test_not_tracked_is_no_zero() -> None:
    step = replace(
        ADDED, reached=None, rate=None, ci_low=None, ci_high=None, state="not_tracked",
        verdict="not_tracked",
    )  # fmt: skip
    shop = with_steps(SESSIONS, step)
    row = funnel_rows(shop, shop.month)[1]
    assert (row.reached, row.share, row.of_before, row.missing) == (
        "not tracked", None, "", "not tracked",
    )  # fmt: skip


@pytest.mark.parametrize(
    "section",
    [
        *(build(EMPTY) for build in (change_section, alert_section, hint_section, tracking_section,
                                     quality_section)),
        *(build(EMPTY.month) for build in (device_section, micro_section, benchmark_section)),
    ],
    ids=lambda section: section.title,
)  # fmt: skip
def test_a_shop_without_a_row_gets_a_sentence(section: Section) -> None:
    assert section.summary[0].endswith(".")
    assert (section.rates, section.bars, section.tables, section.cards) == ((), (), (), ())


ORDERED = replace(
    ADDED, step_key="purchase", step_label="Purchased", previous_step_key="add_to_cart",
    previous_label="Added", reached=24,
    previous_reached=60, rate=None, ci_low=None, ci_high=None, state="sessionless",
    verdict="sessionless",
)  # fmt: skip
FIX = "98 of 122 orders came without a session in 28 days: send session_id."
ORDERS = Coverage("purchase", "Order", True, "sessionless", 24, None, FIX)
SERVER_SIDE = replace(with_steps(SESSIONS, ADDED, ORDERED), coverage=(TAG, ORDERS))


def test_orders_without_sessions_come_before_every_leak() -> None:
    assert joined(replace(SERVER_SIDE, findings=(FINDING,))) == f"{FIX} {FINDING.title}"

    def said_of(status: str) -> str:
        return joined(
            with_steps(SESSIONS, replace(ADDED, verdict=status), ORDERED, shop=SERVER_SIDE)
        )

    assert said_of("within") == (
        f"{FIX} No other step is surely below its usual range. Not known: Purchased."
    )
    assert said_of("insufficient_data") == (
        f"{FIX} There is too little data yet to tell of Added. Not known: Purchased."
    )
    lost = replace(SERVER_SIDE, coverage=(replace(TAG, state="not_tracked"), ORDERS))
    assert joined(lost).endswith(f"nobody can tell where the funnel leaks. {FIX}")


def test_sessionless_is_no_bar_of_0_and_no_rate() -> None:
    row = funnel_rows(SERVER_SIDE, SERVER_SIDE.month)[2]
    assert (row.reached, row.share, row.missing) == (
        "came without sessions", None, "came without sessions (24 of 60)",
    )  # fmt: skip
    (todo,) = tracking_section(SERVER_SIDE).cards
    assert (todo.kind, todo.mark, todo.lines[0]) == ("missing", "✕ expected", ("To do", FIX))
    assert "orders came without sessions" in change_section(SERVER_SIDE).summary[0]


def test_causes_of_a_finding_are_on_its_card_and_the_others_are_hints() -> None:
    other = replace(CAUSE, finding_id=None, likely_cause="Likely the images", segment_value="all")
    shop = replace(LEAKING, diagnoses=(CAUSE, other))
    assert [card.title for card in hint_section(shop).cards] == ["Likely the images"]
    (card,) = finding_cards(shop)
    assert [cause.likely_cause for cause in card.causes] == ["Likely a small button"]


def test_a_change_is_told_in_orders_where_no_revenue_is_known() -> None:
    shop = replace(
        EMPTY,
        factors=(
            Factor("sessions", "Sessions", 100, 120, 5.25, None, True),
            Factor("purchase", "Purchased", 0.5, 0.4, -10.5, None, True),
        ),
    )
    section = change_section(shop)
    assert said(section.summary[0]).startswith("Orders moved by −5 orders since the 28 days before")
    assert [(one.label, said(one.text), one.share) for one in section.bars[0].marks] == [
        ("Sessions", "+5 orders (100 → 120)", 0.5),
        ("Purchased", "−10 orders (50.0 % → 40.0 %)", -1),
    ]


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


def test_words_of_alerts_are_the_rules_of_anomalies() -> None:
    rules = Rules()
    (text,) = alerts_said(Judged(14, 0, 0, rules.least_weeks, None, date(2026, 6, 27)))
    assert f"under {rules.least_trials} sessions in seven days, or fewer than six weeks" in text
    alert = Alert(date(2026, 6, 14), 1, "behaviour", "Low.", 1, 2, 0.5, 0.6)
    (note,) = alert_section(replace(EMPTY, judged=COMPARED, alerts=(alert,))).notes
    assert f"{100 * rules.least_change:.0f} % off with {rules.least_trials} sessions" in note
    assert "at most one in twenty" in note
    assert (rules.least_weeks, rules.false_discovery_rate) == (6, 1 / 20)


def test_an_alert_of_several_days_and_a_lost_tag_without_a_comparison() -> None:
    fall = Alert(
        date(2026, 6, 14), 7, "behaviour",
        "Purchase per checkout start in the 7 days to 2026-06-14: 44.6 % instead of about 61.7 % "
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
    assert [card.title for card in section.cards] == [fall.message, lost.message]
