"""Benchmarks, figures and best weeks on the page, each with its source."""

from dataclasses import replace

from pipelines.report.components import Link
from pipelines.report.formatting import interval
from pipelines.report.rows.sources import Compared, Figure
from pipelines.report.sections.benchmark_section import benchmark_section, beside
from pipelines.report.sections.finding_cards import finding_cards
from pipelines.report.sections.funnel_section import funnel_rows
from tests.support.empty_page import EMPTY
from tests.unit.report.test_report_sections import ADDED, LEAKING, SESSIONS

GUIDE = "An agency, no sample stated, 2026: a guide"
RANGE = Compared(
    "add_to_cart", "sessions", 60, 2000, 0.03, 0.0234, 0.0384, 0.04, 0.1, "below",
    "no sample stated", GUIDE, "https://example.com/g", False,
)  # fmt: skip
WEEKS = replace(
    RANGE, benchmark_low=0.045, benchmark_high=0.055, link=None, is_own_weeks=True,
    sample="2 of 8 whole weeks", source_text="your own best weeks: 2 of 8, 5 %",
)  # fmt: skip
FIGURE = Figure(
    "add_to_cart", "sessions", "median", 0.065, "sessions with an add / sessions", "food",
    "Littledata, 421 shops", "Littledata, 421 shops, 2026, as reported by a note",
    "https://example.com/l",
)  # fmt: skip
MONTH = replace(EMPTY.month, steps=(SESSIONS, ADDED), compared=(RANGE, WEEKS))


def test_every_source_leads_to_where_it_can_be_read() -> None:
    section = benchmark_section(replace(MONTH, shop_figures=(FIGURE,)))
    ranges, figures, weeks = section.tables
    assert ranges.rows == (
        (
            "Add to cart of sessions", "3.0\N{NO-BREAK SPACE}% (60 of 2,000)",
            interval(0.0234, 0.0384), "4 – 10\N{NO-BREAK SPACE}%", "▼ below",
            Link(GUIDE, "https://example.com/g"),
        ),
    )  # fmt: skip
    assert figures.rows == (
        ("Add to cart of sessions", "median", "6.5\N{NO-BREAK SPACE}%",
         "sessions with an add / sessions", "food",
         Link("Littledata, 421 shops, 2026, as reported by a note", "https://example.com/l")),
    )  # fmt: skip
    assert weeks.rows == (
        (
            "Add to cart of sessions",
            "3.0\N{NO-BREAK SPACE}% (60 of 2,000)",
            interval(0.045, 0.055),
            "2 of 8 whole weeks",
        ),
    )
    (note,) = section.notes
    assert "8 weeks of the half year before are needed, each with 30 sessions" in note


def test_a_card_leads_to_where_its_range_can_be_read() -> None:
    told = replace(MONTH, steps=(SESSIONS, replace(ADDED, source=GUIDE)), shop_figures=(FIGURE,))
    (card,) = finding_cards(replace(LEAKING, month=told))
    lines = dict(card.lines)
    assert lines["Usual according to"] == Link(GUIDE, "https://example.com/g")
    assert lines["For comparison"] == beside(told, ADDED)


def test_two_ranges_of_a_rate_have_their_own_sources() -> None:
    """A shop may name a benchmark of its own for a rate that the seed has one for."""
    own = replace(RANGE, source_text="The shop itself", link=None)
    (ranges,) = benchmark_section(replace(MONTH, compared=(RANGE, own))).tables
    assert [row[-1] for row in ranges.rows] == [
        Link(GUIDE, "https://example.com/g"), Link("The shop itself", None),
    ]  # fmt: skip


def test_best_weeks_stand_beside_a_step_only_where_there_is_no_figure() -> None:
    short = f"your own best weeks: {interval(0.045, 0.055)}"
    assert beside(MONTH, ADDED) == Link(short, None)
    few = replace(WEEKS, benchmark_low=None, source_text="your own best weeks: needs 8, has 3")
    lacking = replace(MONTH, compared=(few,))
    assert beside(lacking, ADDED) == Link("your own best weeks: needs 8, has 3", None)
    best = replace(FIGURE, statistic_text="top 10 %", value=0.1)
    other = replace(FIGURE, shops="Others", source_text="Others, 2020", value=0.2)
    figures = replace(MONTH, shop_figures=(FIGURE, best, other))
    found = Link(
        "Littledata, 421 shops: median 6.5\N{NO-BREAK SPACE}%, top 10 % 10\N{NO-BREAK SPACE}%",
        "https://example.com/l",
    )
    assert beside(figures, ADDED) == found
    # Of another denominator nothing is shown.
    assert beside(figures, replace(ADDED, previous_step_key="product_view")) is None
    assert [row.beside for row in funnel_rows(EMPTY, figures)] == [None, found]


def test_without_its_rate_no_week_is_shown() -> None:
    lost = replace(MONTH, compared=(RANGE, replace(WEEKS, rate=None)))
    section = benchmark_section(lost)
    assert [table.caption for table in section.tables] == ["Usual ranges"]
    assert section.notes == ()
