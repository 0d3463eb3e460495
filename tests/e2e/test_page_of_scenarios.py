"""What the page says of shops with a planted fault, of a healthy one and of one without a tag."""

import re
from dataclasses import dataclass
from html import unescape

import pytest

from pipelines.report.page import property_page, render
from pipelines.report.page_data import PropertyData
from pipelines.report.queries import read_shop
from tests.e2e.scenarios import PROPERTIES, REALISTIC, ScenarioShops
from tests.e2e.shop import published

BROKEN, CROSSED, HEALED = "mobile_payment_broken", "paid_social_landing", "payment_repaired"
# What no shop owner knows without looking it up, and what once named a leak's parts.
JARGON = (
    "p(", "cautious", "in the total", "draws", "gate", "playbook", "fired", "provisional",
    "settled", "q ≤", "benjamini", "lmdi", "requirement",
)  # fmt: skip


@dataclass(frozen=True)
class Page:
    """A property's page: `html`, what it was made of, and rows of the database beside it."""

    html: str
    shop: PropertyData

    def texts(self, css_class: str, tag: str = r"\w+") -> list[str]:
        """The texts of elements of a class that hold no element of the same tag."""
        pattern = rf'<({tag})[^>]* ?class="(?:[^"]* )?{css_class}(?: [^"]*)?"[^>]*>(.*?)</\1>'
        return [plain(inside) for _, inside in re.findall(pattern, self.html, re.DOTALL)]

    def part(self, title: str) -> str:
        """One of the parts that are a click away, of the 28 days where there are two."""
        start = self.html.index(f"<summary>{title}</summary>")
        return self.html[start : self.html.index("</details>", start)]


def plain(html: str) -> str:
    """What a reader sees of it, in one line."""
    text = unescape(re.sub(r"<(style|svg).*?</\1>|<[^>]*>", " ", html, flags=re.DOTALL))
    return re.sub(r"[\s\u00a0]+", " ", text).strip()


@pytest.fixture(scope="module")
def pages(scenarios: ScenarioShops) -> dict[str, Page]:
    with published(scenarios.settings) as connection:
        return {
            name: Page(render((property_page(connection, one),)), read_shop(connection, one))
            for name, one in {**PROPERTIES, "estimated": REALISTIC}.items()
        }


def test_a_cause_is_one_card_however_many_segments_it_leaks_in(
    scenarios: ScenarioShops, pages: dict[str, Page]
) -> None:
    ((leaks,),) = scenarios.query(
        "select count(*) from marts.fct_leak where is_leak and window_name = '28d' "
        f"and property_id = '{PROPERTIES[BROKEN]}'"
    )
    assert leaks > 2
    assert len(pages[BROKEN].texts("tag", "span")) == 1
    assert "checkout" not in plain(pages[BROKEN].part("Other hints")).lower()


def test_the_first_screen_says_what_where_since_when_and_what_it_is_worth(
    pages: dict[str, Page],
) -> None:
    page = pages[BROKEN]
    (finding,) = page.shop.findings
    assert page.texts("verdict", "p") == [
        "Checkout started → Purchased, mobile: has leaked since 11 June 2026 and still does."
    ]
    worth, first, new = page.texts("line", "p")
    assert worth == finding.worth_sentence
    assert first.startswith("Do first: ")
    assert new == "New: finding 1."
    assert page.texts("rest", "p") == ["Nothing else is below its usual range."]


def test_a_worth_is_told_as_one_number(pages: dict[str, Page]) -> None:
    """Neither of a part that is more than the whole, nor a median beside a point."""
    text = plain(pages[BROKEN].html)
    assert len(set(re.findall(r"[Ww]orth about ([\d,]+) EUR", text))) == 1
    assert "Lost since then" not in text


def test_the_rate_of_now_is_that_of_the_last_seven_days(
    scenarios: ScenarioShops, pages: dict[str, Page]
) -> None:
    ((bought, started),) = scenarios.query(
        "select sum(reached), sum(previous_reached) from marts.fct_funnel_daily "
        f"where property_id = '{PROPERTIES[BROKEN]}' and funnel = 'core' "
        "and step_key = 'purchase' and segment_value = 'mobile' and date > '2026-06-23'"
    )
    said = f"now (last 7 days) {100 * bought / started:.1f} % {bought} of {started}"
    assert any(said in one for one in pages[BROKEN].texts("stretches", "dl"))


@pytest.mark.parametrize("scenario", [BROKEN, CROSSED])
def test_the_chart_has_the_counts_of_the_card(pages: dict[str, Page], scenario: str) -> None:
    """Of one condition by its segment, of two by their cells."""
    shop = pages[scenario].shop
    (finding,) = shop.findings
    since = finding.since_date or finding.window_start
    days = [day for day in shop.finding_days if day.date >= since]
    counts = [
        (finding.since_numerator, finding.since_denominator)
        if finding.since_date
        else (finding.numerator, finding.denominator)
    ]
    assert [
        (sum(day.numerator or 0 for day in days), sum(day.denominator or 0 for day in days))
    ] == counts
    window = [day for day in shop.finding_days if day.date >= finding.window_start]
    assert (
        sum(day.outside_numerator or 0 for day in window),
        sum(day.outside_denominator or 0 for day in window),
    ) == (finding.outside_numerator, finding.outside_denominator)


def test_a_thing_has_one_rate(pages: dict[str, Page]) -> None:
    """A step's is of the step before in the funnel; no chain of smaller steps has another."""
    page = pages[BROKEN]
    step = page.shop.month.whole[-1]
    rate = f"{100 * (step.rate or 0):.1f} %"
    (funnel,) = [one for one in page.texts("funnel", "ol") if f"{rate} of the step before" in one]
    assert f"{rate} ({step.reached} of {step.previous_reached})" in plain(
        page.part("Benchmarks and sources")
    )
    names = re.findall(r'class="name">([^<]+)<', page.part("Micro-conversions by stage"))
    assert len(names) > 20
    assert not {"Purchase", "Checkout start", "Add to cart", "Product view"} & set(names)
    conversion = f"{100 * (step.reached or 0) / (page.shop.month.whole[0].reached or 1):.2f} %"
    assert f"Conversion {conversion}" in page.texts("figures", "dl")[0]
    assert f"{conversion} of all" in funnel


def test_figures_are_those_of_the_carts_and_sessions_end_in_all_of_them(
    scenarios: ScenarioShops, pages: dict[str, Page]
) -> None:
    """Two marts that are summed up apart."""
    for name, one in PROPERTIES.items():
        month = pages[name].shop.month
        sales = month.sales
        assert sales is not None
        ((revenue, orders),) = scenarios.query(
            "select purchase_revenue, transactions from marts.fct_cart_recovery "
            f"where property_id = '{one}' and window_name = '28d' and segment_name = 'all'"
        )
        assert (sales.revenue, sales.orders) == (pytest.approx(revenue), orders)
        assert sum(end.ended_sessions or 0 for end in month.ends) == month.whole[0].reached


def test_days_without_a_session_are_no_unknown_orders(pages: dict[str, Page]) -> None:
    """A shop that began three days ago."""
    sales = pages["estimated"].shop.month.sales
    assert sales is not None
    assert (sales.orders, sales.days) == (277, 28)


@pytest.mark.parametrize("word", JARGON)
def test_no_word_has_to_be_looked_up(pages: dict[str, Page], word: str) -> None:
    for page in pages.values():
        assert word not in plain(page.html).lower()


def test_what_is_usual_is_no_warning_and_what_was_not_compared_is_not_quiet(
    pages: dict[str, Page],
) -> None:
    for page in pages.values():
        assert page.texts("warning", "p") == []
    assert "once there are six weeks before them" in plain(pages[BROKEN].part("Alerts"))


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        ("none", "No step is below its usual range."),
        (
            HEALED,
            "Checkout started → Purchased, mobile: healed on 24 June 2026.",
        ),
        (
            "checkout_tag_missing",
            "Set up tracking first: without “Checkout started” nobody can tell where the funnel "
            "leaks.",
        ),
    ],
)
def test_a_shop_without_a_leak_is_told_so_without_alarm(
    pages: dict[str, Page], scenario: str, words: str
) -> None:
    page = pages[scenario]
    assert page.texts("verdict", "p") == [words]
    assert page.texts("tag", "span") == []
    assert ("Nothing else is below its usual range." in page.texts("line", "p")) is (
        scenario == HEALED
    )


def test_a_missing_tag_is_told_with_the_command_that_writes_it(pages: dict[str, Page]) -> None:
    """On the first screen, and in the to-do of every key that is not tracked; of no other one."""
    page = pages["checkout_tag_missing"]
    said = "Google Tag Manager send it (sluice gtm writes the container), or declare"
    assert said in page.texts("line", "p")[0]
    todo = plain(page.part("Tracking to-do"))
    missing = sum(row.state == "not_tracked" for row in page.shop.coverage)
    assert todo.count("(sluice gtm writes the container)") == missing == 2
    assert not any("sluice gtm" in line for line in pages["none"].texts("line", "p"))


def test_the_page_has_no_script(pages: dict[str, Page]) -> None:
    assert all("<script" not in page.html for page in pages.values())
