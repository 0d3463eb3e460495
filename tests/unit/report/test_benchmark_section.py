"""Benchmarks, figures and best weeks on the page, each with its source."""

from dataclasses import replace

from pipelines.report.components import Link
from pipelines.report.formatting import interval
from pipelines.report.rows.sources import Compared, Figure
from pipelines.report.sections.benchmark_section import benchmark_section, beside
from pipelines.report.sections.funnel_section import funnel_rows
from tests.support.empty_page import EMPTY
from tests.unit.report.test_report_sections import ADDED, SESSIONS

GUIDE = "An agency, no sample stated, 2026: a guide"
RANGE = Compared(
    "add_to_cart", "sessions", 60, 2000, 0.03, 0.04, 0.1, GUIDE, "https://example.com/g", False
)
WEEKS = replace(
    RANGE, benchmark_low=0.045, benchmark_high=0.055, link=None, is_own_weeks=True,
    source_text="your own best weeks: 2 of 8, 5 %",
)  # fmt: skip
FIGURE = Figure(
    "add_to_cart", "sessions", "median", 0.065, "sessions with an add / sessions", "food",
    "Littledata, 421 shops: median 6.5 %", "Littledata, 421 shops", "https://example.com/l",
)  # fmt: skip
STEP = replace(ADDED, source=GUIDE)
MONTH = replace(EMPTY.month, steps=(SESSIONS, STEP), compared=(RANGE, WEEKS))


def test_every_source_leads_to_where_it_can_be_read() -> None:
    section = benchmark_section(replace(MONTH, shop_figures=(FIGURE,)))
    ranges, figures, weeks = section.tables
    assert ranges.rows[0][-1] == Link(GUIDE, "https://example.com/g")
    assert figures.rows == (
        ("Add to cart of sessions", "median", "6.5\N{NO-BREAK SPACE}%",
         "sessions with an add / sessions", "food",
         Link("Littledata, 421 shops", "https://example.com/l")),
    )  # fmt: skip
    assert weeks.rows == (
        (
            "Add to cart of sessions",
            "3.0\N{NO-BREAK SPACE}% (60 of 2,000)",
            "your own best weeks: 2 of 8, 5 %",
        ),
    )


def test_best_weeks_stand_beside_a_step_only_where_there_is_no_figure() -> None:
    short = f"your own best weeks: {interval(0.045, 0.055)}"
    assert beside(MONTH, STEP, "sessions") == Link(short, None)
    few = replace(WEEKS, benchmark_low=None, source_text="your own best weeks: needs 8, has 3")
    lacking = replace(MONTH, compared=(few,))
    assert beside(lacking, STEP, "sessions") == Link("your own best weeks: needs 8, has 3", None)
    figures = replace(MONTH, shop_figures=(FIGURE,))
    found = Link("Littledata, 421 shops: median 6.5 %", "https://example.com/l")
    assert beside(figures, STEP, "sessions") == found
    # Of another denominator nothing is shown.
    assert beside(figures, STEP, "product_view") is None
    assert [row.beside for row in funnel_rows(EMPTY, figures)] == [None, found]


def test_without_its_rate_no_week_is_shown() -> None:
    lost = replace(MONTH, compared=(replace(WEEKS, rate=None),))
    assert [table.caption for table in benchmark_section(lost).tables] == ["Usual ranges"]
