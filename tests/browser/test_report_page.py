"""The morning page in a real browser: what it shows, what it asks for, and who can read it."""

import re
from pathlib import Path
from typing import Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.chromium import Opened, open_page
from tests.browser.pages import EMPTY, NASTY, NASTY_ID, NO_REVENUE, ONE_DAY, TITLE

MEGABYTE = 1024 * 1024
SECTIONS = [
    "Devices", "Micro-conversions by stage", "Benchmarks and sources", "What changed", "Alerts",
    "Shopify", "Other hints", "Friction on pages (Clarity)", "Clicks and scrolling on pages",
    "Tracking to-do", "Data quality",
]  # fmt: skip
# The rates that a trend is drawn at, read back from its path: [from, to, rate] in shares.
DRAWN = """chart => {
    const box = chart.viewBox.baseVal, top = chart.querySelector(".band").y.baseVal.value;
    const high = chart.querySelector(".band").height.baseVal.value + top;
    const rate = y => (box.height - y) / (box.height - top) * 0.7;
    const found = [];
    let x, y;
    const path = chart.querySelector(".inside").getAttribute("d");
    for (const [, kind, value, second] of path.matchAll(/([MHV])([\\d.]+)(?: ([\\d.]+))?/g)) {
        if (kind === "M") [x, y] = [+value, +second];
        if (kind === "V") y = +value;
        if (kind === "H") { found.push([x / box.width, value / box.width, rate(y)]); x = +value; }
    }
    return found;
}"""


def rows(published: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(published / "sluice.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def violations(opened: Opened, **options: Any) -> list[str]:
    open_all(opened)
    found = Axe().run(opened.page, options={"resultTypes": ["violations"], **options})
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found.response["violations"]
        for node in one["nodes"]
    ]


def open_all(opened: Opened) -> None:
    opened.ask("for (const one of document.querySelectorAll('details')) one.open = true")


def shown(opened: Opened) -> list[str]:
    return opened.ask(
        "[...document.querySelectorAll('article[id]')].filter(one => one.offsetHeight)"
        ".map(one => one.id)"
    )


def test_page_is_silent_alone_and_complete(browser: Browser, page_file: Path) -> None:
    with open_page(browser, page_file) as opened:
        charts = opened.page.locator("svg[role=img]")
        words = [one.get_attribute("aria-label") for one in charts.all()]
        titles = opened.page.locator(".more details:visible > summary").all_inner_texts()
        assert opened.page.locator(".verdict").inner_text()
        assert opened.page.locator("script").count() == 0

    assert opened.said == []
    assert opened.requests == [page_file.as_uri()]
    assert titles == SECTIONS
    assert len(words) >= 12
    assert all(words)
    assert page_file.stat().st_size < 0.12 * MEGABYTE


def test_funnel_and_ends_are_those_of_the_database(
    browser: Browser, page_file: Path, published: Path
) -> None:
    """Of each window, and where the sessions ended adds up to all of them."""
    for days in (28, 7):
        with open_page(browser, page_file) as opened:
            opened.page.get_by_text(f"{days} days", exact=True).click()
            steps = opened.page.locator(".funnel:visible li").all_inner_texts()
            ends = opened.page.locator(".columns:visible .bars .said").all_inner_texts()
        expected = rows(
            published,
            "select step_label, reached, step_rate from marts.fct_funnel_window "
            f"where window_name = '{days}d' and funnel = 'core' and segment_name = 'all' "
            "order by step_number",
        )
        assert len(steps) == len(expected) == 5
        for text, (label, reached, rate) in zip(steps, expected, strict=True):
            assert text.startswith(f"{label} {reached:,}")
            assert rate is None or f"{100 * rate:.1f}\u00a0% of the step before" in text
        counts = [int(re.findall(r"\(([\d,]+)\)", one)[0].replace(",", "")) for one in ends]
        assert sum(counts) == expected[0][1]


def test_a_finding_is_drawn_at_its_rates_and_told_with_what_to_do(
    browser: Browser, many_file: Path
) -> None:
    """Two lines of steps: 20 % until ten days before the end, then 2 %."""
    with open_page(browser, many_file, anchor=f"#p-{NO_REVENUE}") as opened:
        card = opened.page.locator(".finding:visible")
        drawn = opened.page.locator(".finding:visible svg").evaluate(DRAWN)
        text = card.text_content() or ""
        verdict = opened.page.locator(".verdict:visible").inner_text()
        lines = opened.page.locator(".line:visible").all_inner_texts()
        figures = opened.page.locator(".figures:visible dd").all_inner_texts()
        card.locator("summary").click()
        evidence = card.locator("details").inner_text()
    assert len({round(end - start, 3) for start, end, _ in drawn}) == 1
    assert [rate for *_, rate in drawn] == pytest.approx(
        [0.2] * (len(drawn) - 11) + [0.02] * 11, abs=0.002
    )
    assert verdict == TITLE
    assert lines == [
        "Worth 12 orders.",
        "Do first: See what changed between 19 Jun 2026 and 21 Jun 2026 (a release, a campaign, a "
        "tag). Then: Offer a wallet.",
        "New: finding 1.",
    ]
    for said in (
        "22 of 1,100", "Likely a <missing> wallet", "Device: Mobile.",
        "<b>Coat: 2.0\u00a0% (2 of 100), others 20.0\u00a0%",
    ):  # fmt: skip
        assert said in " ".join(text.split(" ")).replace("\n", " ")
    assert "Payment 20 of 90 sessions" in evidence
    assert figures[0].split() == ["–", "not", "known"]
    assert "€" not in "".join(figures) + text


def test_axe_finds_nothing(browser: Browser, many_file: Path) -> None:
    for anchor in (NASTY_ID, NO_REVENUE):
        with open_page(browser, many_file, width=1024, anchor=f"#p-{anchor}") as opened:
            assert violations(opened) == []


def test_dark_colours_have_contrast(browser: Browser, many_file: Path) -> None:
    with open_page(
        browser, many_file, width=1024, scheme="dark", anchor=f"#p-{NO_REVENUE}"
    ) as opened:
        assert opened.ask("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 28)"
        assert violations(opened, runOnly=["color-contrast"]) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_marks_of_charts_stand_out(browser: Browser, many_file: Path, scheme: str) -> None:
    """WCAG 1.4.11: 3 to 1 against the card, and the two lines differ without their colour."""
    with open_page(browser, many_file, scheme=scheme, anchor=f"#p-{NO_REVENUE}") as opened:
        contrasts = opened.ask(
            """() => {
            const light = colour => {
                const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255).map(
                    part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                return 0.2126 * r + 0.7152 * g + 0.0722 * b;
            };
            const card = light(getComputedStyle(document.querySelector(".part")).backgroundColor);
            return [...document.querySelectorAll("#p-200000001 .finding svg path")].map(path => {
                const ink = light(getComputedStyle(path).stroke);
                return (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05);
            });
        }"""
        )
        dashes = opened.ask(
            "['.inside', '.outside'].map(one => getComputedStyle("
            "document.querySelector('.finding svg ' + one)).strokeDasharray)"
        )
    assert len(contrasts) == 3
    assert min(contrasts) >= 3
    assert dashes[0] == "none"
    assert dashes[1] != "none"


@pytest.mark.parametrize("width", [375, 768, 1920])
@pytest.mark.parametrize("anchor", [NASTY_ID, NO_REVENUE])
def test_nothing_sticks_out(browser: Browser, many_file: Path, width: int, anchor: str) -> None:
    with open_page(browser, many_file, width=width, anchor=f"#p-{anchor}") as opened:
        open_all(opened)
        assert opened.ask("document.documentElement.scrollWidth") <= width
        wide = opened.ask(
            "[...document.querySelectorAll('main *')]"
            ".filter(one => one.getBoundingClientRect().right > innerWidth)"
            ".map(one => one.outerHTML.slice(0, 200))"
        )
        assert wide == []
        # Every cell of every table is there to be read, with its heading beside it on a phone.
        cells = f"#p-{anchor} .w28 td, #p-{anchor} .more > details td"
        assert opened.page.locator("td:visible").count() == opened.page.locator(cells).count() > 50
        heading = opened.page.locator("td:visible").first.evaluate(
            "cell => getComputedStyle(cell, '::before').content"
        )
        assert (heading != "none") is (width < 700)
    assert opened.said == []


def test_property_is_chosen_and_stands_in_the_address(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file) as opened:
        assert len(shown(opened)) == 1
        opened.page.get_by_text("All 5 properties").click()
        opened.page.get_by_role("link", name="One day").click()
        assert opened.ask("location.hash") == f"#p-{ONE_DAY}"
        assert shown(opened) == [f"p-{ONE_DAY}"]
        opened.page.go_back()
        opened.page.goto(f"{many_file.as_uri()}#p-{NO_REVENUE}")
        assert shown(opened) == [f"p-{NO_REVENUE}"]
    assert opened.said == []


def test_seven_days_are_chosen_with_the_keyboard(browser: Browser, many_file: Path) -> None:
    """For every property at once; the finding stays, as it is about 28 days."""
    with open_page(browser, many_file, anchor=f"#p-{NO_REVENUE}") as opened:
        for days, other in ((28, 7), (7, 28)):
            assert opened.page.locator(f".w{days}:visible").count() >= 3
            assert opened.page.locator(f".w{other}:visible").count() == 0
            assert opened.page.locator(".finding:visible").count() == 1
            opened.page.locator("#show-28").focus()
            opened.page.keyboard.press("ArrowRight")


def test_fifteen_properties_are_one_file(browser: Browser, crowded_file: Path) -> None:
    assert crowded_file.stat().st_size < 2_000_000
    assert not (crowded_file.parent / "report_pages").exists()
    with open_page(browser, crowded_file, anchor="#p-300000007") as opened:
        assert shown(opened) == ["p-300000007"]
        assert opened.page.locator(".verdict:visible").count() == 1


def test_more_properties_are_an_index_that_leads_to_each(
    browser: Browser, thronged_file: Path
) -> None:
    pages = thronged_file.parent / "report_pages"
    assert len(list(pages.iterdir())) == 40
    assert all(one.stat().st_size < 2_000_000 for one in (thronged_file, *pages.iterdir()))
    with open_page(browser, thronged_file) as opened:
        assert len(shown(opened)) == 40
        assert opened.page.locator(".verdict:visible").count() == 40
        assert violations(opened) == []
        opened.page.get_by_role("link", name="Shop <7>").click()
        assert shown(opened) == ["p-300000007"]
        assert opened.page.locator(".more details:visible > summary").all_inner_texts() == SECTIONS
        opened.page.get_by_role("link", name="All properties").click()
        assert len(shown(opened)) == 40
    first, own = thronged_file.as_uri(), (pages / "300000007.html").as_uri()
    assert opened.requests == [first, own, first]
    assert opened.said == []


def test_names_are_text_and_missing_numbers_are_said(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file, anchor=f"#p-{NASTY_ID}") as opened:
        texts = {
            one: opened.page.locator(f"#p-{one}").text_content() or ""
            for one in (NASTY_ID, ONE_DAY, EMPTY)
        }
        name = opened.page.locator(f"#p-{NASTY_ID} h2").inner_text()
        steps = opened.page.locator(".funnel:visible li").all_inner_texts()
    assert opened.said == []
    assert [one.partition("#")[0] for one in opened.requests] == [many_file.as_uri()]
    assert name == NASTY

    assert "Set up tracking first: without “Checkout started” nobody" in texts[NASTY_ID]
    assert "Add a <tag>" in texts[NASTY_ID]
    assert steps[3].startswith("Checkout started not tracked")
    assert "step before: not tracked" in steps[4]
    assert "/<img src=x>" in texts[NASTY_ID]
    assert "<script>alert(1)</script>" in texts[NASTY_ID]
    assert "Only 1 of the last 28 days are loaded." in texts[ONE_DAY]
    assert "There is too little data yet to tell of" in texts[ONE_DAY]
    assert "There are no numbers of the last 28 days yet." in texts[EMPTY]


def test_printer_gets_two_white_pages_a_property(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file, scheme="dark") as opened:
        opened.page.emulate_media(media="print", color_scheme="dark")
        card = "getComputedStyle(document.querySelector('.part')).backgroundColor"
        assert opened.ask(card) == "rgb(255, 255, 255)"
        assert len(shown(opened)) >= 5
        assert not opened.page.locator(".more, .top").first.is_visible()
        pages = len(re.findall(rb"/Type\s*/Page\b", opened.page.pdf(format="A4")))
    assert 5 <= pages <= 10
