"""Clicks and scrolling on the page."""

from dataclasses import replace
from datetime import date

from pipelines.report.rows.heatmaps import Click, Refused, Scroll
from pipelines.report.sections.heatmap_section import heatmap_section
from tests.support.empty_page import EMPTY
from tests.unit.report.test_report_sections import said

JUNE = (date(2026, 6, 3), date(2026, 6, 30))
MENU = Click("hotjar", "/a", "mobile", *JUNE, 1, 3, "#menu", "", False, 60, 80, 0.75)
BUY = replace(
    MENU, click_rank=2, element="[name=add]", element_text="Add to cart", is_add_to_cart=True,
    clicks=16, click_share=0.2,
)  # fmt: skip
DEEP = Scroll("ga4", "/a", "all", *JUNE, 90.0, "sessions", 30, 120, 0.25)


def test_nothing_is_said_where_nothing_is_known() -> None:
    assert heatmap_section(EMPTY) is None


def test_a_click_map_is_a_ranked_list_with_the_button_marked() -> None:
    other = replace(MENU, page_path="/b", device="all")
    section = heatmap_section(replace(EMPTY, clicks=(MENU, BUY, other), scrolls=(DEEP,)))
    assert section is not None
    assert [said(one) for one in section.summary] == [
        "/a, mobile: the add-to-cart button got 20.0 % (16 of 80) of the clicks, place 2 of 3 "
        "elements.",
        "/b, all devices: no element of the map looks like the add-to-cart button.",
    ]
    clicks, others, scrolls = section.tables
    assert clicks.caption == "Clicks on /a, mobile, 3 Jun 2026 to 30 Jun 2026, by hotjar"
    assert [tuple(map(said, row)) for row in clicks.rows] == [  # type: ignore[arg-type]
        ("#menu", "60", "75.0 %"),
        ("▶ add to cart: [name=add] “Add to cart”", "16", "20.0 %"),
    ]
    assert others.caption.startswith("Clicks on /b, all devices")
    assert [tuple(map(said, row)) for row in scrolls.rows] == [  # type: ignore[arg-type]
        (
            "/a", "GA4, all devices, 3 Jun 2026 to 30 Jun 2026", "90 %", "25.0 %", "30",
            "120 sessions",
        )
    ]  # fmt: skip


def test_scrolling_alone_says_that_there_is_no_map() -> None:
    told = replace(DEEP, tool="clarity", device="mobile", unit="visitors", reached=None)
    section = heatmap_section(replace(EMPTY, scrolls=(told,)))
    assert section is not None
    assert section.summary == (
        "No click map was downloaded: docs/heatmaps.md says how to add one.",
    )
    ((_, by, *_, reached, of),) = section.tables[0].rows
    assert (by, reached, said(str(of))) == (
        "clarity, mobile, 3 Jun 2026 to 30 Jun 2026", "–", "120 visitors",
    )  # fmt: skip


def test_a_file_that_is_not_read_is_said() -> None:
    section = heatmap_section(replace(EMPTY, refused_heatmaps=(Refused("x.csv is empty."),)))
    assert section is not None
    assert section.summary[-1] == "Not read: x.csv is empty."
