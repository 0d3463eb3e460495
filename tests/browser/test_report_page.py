"""The morning page in a real browser: what it shows, what it asks for, and who can read it."""

from pathlib import Path
from typing import Any

import duckdb
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser

from tests.browser.chromium import DRAWN, Opened, open_page
from tests.browser.pages import EMPTY, NASTY, NASTY_ID, NO_REVENUE, ONE_DAY

SECTIONS = [
    "Funnel", "Leaks", "Devices", "Micro-conversions", "What changed", "Alerts", "Diagnosis",
    "Tracking to-do", "Data quality",
]  # fmt: skip
MEGABYTE = 1024 * 1024
# Where the marks of a chart really stand, read back through its axis.
DRAWN_RATES = """name => {
    const view = document.querySelector(`.shown [data-chart="${name}"]`).view;
    const found = [];
    const visit = item => {
        if (item.marktype === "symbol") for (const mark of item.items)
            found.push([mark.datum.label, view.scale("x").invert(mark.x)]);
        for (const one of item.items || []) visit(one);
    };
    visit(view.scenegraph().root);
    return found;
}"""
DRAWN_BARS = """name => {
    const view = document.querySelector(`.shown [data-chart="${name}"]`).view;
    const found = [];
    const visit = item => {
        if (item.marktype === "rect" && item.role === "mark") for (const mark of item.items)
            found.push([mark.datum.label, view.scale("x").invert(mark.x + mark.width)]);
        for (const one of item.items || []) visit(one);
    };
    visit(view.scenegraph().root);
    return found;
}"""
CORE = (
    "from marts.fct_funnel_window where window_name = '28d' and funnel = 'core' "
    "and property_id = '100000001' and segment_name = "
)


def rows(published: Path, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(published / "sluice.duckdb"), read_only=True) as connection:
        return connection.execute(query).fetchall()


def near(expected: list[tuple[Any, ...]]) -> dict[str, Any]:
    """Half a thousandth of the axis is less than a pixel."""
    return {label: pytest.approx(value, rel=0.002, abs=1e-6) for label, value in expected}


def violations(opened: Opened, **options: Any) -> list[str]:
    opened.ask("for (const one of document.querySelectorAll('details')) one.open = true")
    found = Axe().run(opened.page, options={"resultTypes": ["violations"], **options})
    return [
        f"{one['id']}: {node['html'][:120]}"
        for one in found.response["violations"]
        if one["impact"] in {"serious", "critical"}
        for node in one["nodes"]
    ]


def test_page_is_silent_alone_and_complete(browser: Browser, page_file: Path) -> None:
    with open_page(browser, page_file) as opened:
        titles = opened.page.locator("section h3").all_inner_texts()
        charts = opened.ask("document.querySelectorAll('[data-chart] svg').length")
        words = opened.page.locator("figure .in-words").all_text_contents()
        assert opened.page.locator(".verdict").inner_text()

    assert opened.said == []
    assert opened.requests == [page_file.as_uri()]
    assert titles == SECTIONS
    assert charts == len(words) >= 13
    assert all(words)
    assert page_file.stat().st_size < 2 * MEGABYTE


def test_marks_stand_at_the_numbers_of_the_database(
    browser: Browser, page_file: Path, published: Path
) -> None:
    with open_page(browser, page_file) as opened:
        reached = dict(opened.ask(DRAWN_BARS, "reach"))
        whole = dict(opened.ask(DRAWN_RATES, "rates"))
        bought = dict(opened.ask(DRAWN_RATES, "device-purchase"))
        product = dict(opened.ask(DRAWN_RATES, "micro-3"))

    assert reached == near(rows(published, f"select step_label, reached {CORE} 'all'"))
    steps = f"{CORE} 'all' and step_rate is not null"
    assert whole == near(rows(published, f"select step_label, step_rate {steps}"))
    assert len(whole) == 4
    assert bought == near(
        rows(
            published,
            f"select segment_value, step_rate {CORE} 'device' and step_key = 'purchase' "
            "and step_rate is not null",
        )
    )
    assert product == near(
        rows(
            published,
            "select upper(key[1]) || replace(key[2:], '_', ' '), micro_rate "
            "from marts.fct_micro_conversion_window where window_name = '28d' "
            "and segment_name = 'all' and stage = 'product' and micro_rate is not null",
        )
    )


def test_leaks_and_changes_are_told_in_orders_without_revenue(
    browser: Browser, many_file: Path
) -> None:
    with open_page(browser, many_file, anchor=f"#p-{NO_REVENUE}") as opened:
        leaks = opened.ask(DRAWN_BARS, "leaks")
        changes = opened.ask(DRAWN_BARS, "change")
        text = opened.page.locator(f"#p-{NO_REVENUE}").text_content() or ""

    assert leaks == [["Purchased, whole shop", pytest.approx(12, rel=0.002)]]
    # The bar of a loss ends at zero.
    assert dict(changes) == near([("Sessions", 5.25), ("Purchased", 0)])
    assert "worth about 12\u00a0orders (3\u00a0orders to 20\u00a0orders) in 28 days" in text
    assert "a probability of 97\u00a0%" in text
    for said in ("Likely a <missing> wallet (mobile)", "Payment 20 of 90 sessions", "likely · X4"):
        assert said in text
    assert "Orders moved by −3\u00a0orders" in text
    assert "€" not in text


def test_axe_finds_nothing_serious(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file, width=1024, anchor=f"#p-{NASTY_ID}") as opened:
        assert violations(opened) == []
        assert contrast_of_charts(opened) >= 4.5


def test_dark_colours_have_contrast(browser: Browser, page_file: Path) -> None:
    with open_page(browser, page_file, width=1024, scheme="dark") as opened:
        assert opened.ask("getComputedStyle(document.body).backgroundColor") == "rgb(16, 22, 28)"
        assert violations(opened, runOnly=["color-contrast"]) == []
        assert contrast_of_charts(opened) >= 4.5


def contrast_of_charts(opened: Opened) -> float:
    """The lowest contrast (WCAG) of a chart's text against the card behind it."""
    return opened.ask(
        """() => {
        const light = colour => {
            const parts = colour.match(/[\\d.]+/g).slice(0, 3).map(part => part / 255);
            const [r, g, b] = parts.map(
                part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        const card = light(getComputedStyle(document.querySelector(".part")).backgroundColor);
        const texts = [...document.querySelectorAll(".chart svg text")];
        return Math.min(...texts.map(text => {
            const ink = light(getComputedStyle(text).fill);
            return (Math.max(ink, card) + 0.05) / (Math.min(ink, card) + 0.05);
        }));
    }"""
    )


@pytest.mark.parametrize("width", [375, 768, 1920])
def test_nothing_sticks_out(browser: Browser, many_file: Path, width: int) -> None:
    with open_page(browser, many_file, width=width, anchor=f"#p-{NASTY_ID}") as opened:
        opened.ask("for (const one of document.querySelectorAll('details')) one.open = true")
        assert opened.ask("document.documentElement.scrollWidth") <= width
        wide = opened.ask(
            "[...document.querySelectorAll('.shown figure, .shown p, .shown .card, select')]"
            ".filter(one => one.getBoundingClientRect().right > innerWidth)"
            ".map(one => one.outerHTML.slice(0, 200))"
        )
        assert wide == []
    assert opened.said == []


def test_property_is_chosen_and_stands_in_the_address(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file, anchor=f"#p-{NO_REVENUE}") as opened:
        assert shown(opened) == [f"p-{NO_REVENUE}"]
        opened.page.locator("#property").select_option(f"p-{ONE_DAY}")
        opened.page.wait_for_function(f"location.hash === '#p-{ONE_DAY}'")
        assert shown(opened) == [f"p-{ONE_DAY}"]
        opened.page.keyboard.press("Tab")
        assert opened.ask("document.activeElement.closest('.property').id") == f"p-{ONE_DAY}"
        opened.page.go_back()
        opened.page.wait_for_function(
            f"document.getElementById('p-{NO_REVENUE}').matches('.shown')"
        )
        assert opened.page.locator("#property").input_value() == f"p-{NO_REVENUE}"
    assert opened.said == []


def shown(opened: Opened) -> list[str]:
    return opened.ask(
        "[...document.querySelectorAll('.property')].filter(one => one.offsetHeight)"
        ".map(one => one.id)"
    )


def test_twenty_properties_are_an_index_that_leads_to_each(
    browser: Browser, crowded_file: Path
) -> None:
    pages = crowded_file.parent / "report_pages"
    assert len(list(pages.iterdir())) == 20
    assert all(one.stat().st_size < 2_000_000 for one in (crowded_file, *pages.iterdir()))
    with open_page(browser, crowded_file, anchor="#p-300000007") as opened:
        assert len(shown(opened)) == 20
        assert opened.page.locator(".property .verdict:visible").count() == 20
        assert violations(opened) == []
        opened.page.get_by_role("link", name="Shop <7>").click()
        opened.page.wait_for_function(DRAWN)
        assert shown(opened) == ["p-300000007"]
        assert opened.page.locator("section h3").all_inner_texts() == SECTIONS
        assert opened.ask("document.querySelectorAll('[data-chart] svg').length") >= 13
        assert violations(opened) == []
        opened.page.get_by_role("link", name="All properties").click()
        assert len(shown(opened)) == 20
    first, own = crowded_file.as_uri(), (pages / "300000007.html").as_uri()
    assert [one.partition("#")[0] for one in opened.requests] == [first, own, first]
    assert opened.said == []


def test_without_javascript_everything_is_there(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file, has_script=False) as opened:
        visible = opened.page.locator("article.property:visible")
        assert visible.count() == 5
        assert opened.page.locator("noscript").first.is_visible()
        assert opened.page.locator(".in-words").first.bounding_box()["height"] > 10  # type: ignore[index]


def test_names_are_text_and_missing_numbers_are_said(browser: Browser, many_file: Path) -> None:
    with open_page(browser, many_file, anchor=f"#p-{NASTY_ID}") as opened:
        texts = {
            one: opened.page.locator(f"#p-{one}").text_content() or ""
            for one in (NASTY_ID, NO_REVENUE, ONE_DAY, EMPTY)
        }
        name = opened.page.locator(f"#p-{NASTY_ID} h2").inner_text()
        untracked = opened.ask("document.querySelector('[data-chart=rates]').view.data('rows')")
    assert opened.said == []
    assert opened.requests == [many_file.as_uri()]
    assert name == NASTY

    assert "Set up tracking first: without “Checkout started” nobody" in texts[NASTY_ID]
    assert "Add a <tag>" in texts[NASTY_ID]
    assert {one["label"]: one["missing"] for one in untracked if one["rate"] is None} == {
        "Checkout started": "not tracked", "Purchased": "step before: not tracked",
    }  # fmt: skip
    assert "Only 1 of the last 28 days are loaded." in texts[ONE_DAY]
    assert "too little data yet" in texts[ONE_DAY]
    assert "There are no numbers of the last 28 days yet." in texts[EMPTY]


def test_printer_gets_every_table_on_white(browser: Browser, page_file: Path) -> None:
    with open_page(browser, page_file, scheme="dark") as opened:
        opened.page.emulate_media(media="print", color_scheme="dark")
        opened.ask("dispatchEvent(new Event('beforeprint'))")
        assert opened.page.locator("details:not([open])").count() == 0
        card = "getComputedStyle(document.querySelector('.part')).backgroundColor"
        assert opened.ask(card) == "rgb(255, 255, 255)"
        assert not opened.page.locator("nav").first.is_visible()
        opened.ask("dispatchEvent(new Event('afterprint'))")
        assert opened.page.locator("details:not([open])").count() > 5
        assert opened.page.pdf()[:5] == b"%PDF-"
