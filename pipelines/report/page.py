"""Puts the sections of every property into the template: one HTML file without a network.

Template, style and script are files of the folder `template`; all colours and sizes are there.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from pipelines.errors import ReportError
from pipelines.report.files import write_whole
from pipelines.report.javascript import chart_script
from pipelines.report.parts import Section
from pipelines.report.queries import read_shops
from pipelines.report.rows import ShopRows
from pipelines.report.sections.advice import diagnosis_section, tracking_section
from pipelines.report.sections.change import alert_section, change_section
from pipelines.report.sections.funnel import device_section, funnel_section
from pipelines.report.sections.leaks import leak_section, verdict
from pipelines.report.sections.micro import micro_section
from pipelines.report.sections.quality import quality_section
from pipelines.report.words import day

TEMPLATE_DIR = Path(__file__).parent / "template"
_SECTIONS = (
    funnel_section,
    leak_section,
    device_section,
    micro_section,
    change_section,
    alert_section,
    diagnosis_section,
    tracking_section,
    quality_section,
)


@dataclass(frozen=True)
class ShopPage:
    """One property on the page. `anchor` is its id in the page and in the address."""

    anchor: str
    label: str
    property_id: str
    verdict: str
    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]


def write_page(connection: duckdb.DuckDBPyConnection, path: Path, cache_dir: Path) -> None:
    """Write the page over what `connection` shows as `marts` and `ops`.

    `cache_dir` keeps the charts' script. Raises ReportError for a broken template or a full disk.
    """
    shops = tuple(_shop_page(shop) for shop in read_shops(connection))
    write_whole(path, render(shops, chart_script(cache_dir)))


def render(shops: tuple[ShopPage, ...], script: str) -> str:
    """The page as HTML; `script` draws the charts.

    Raises ReportError where a template has a mistake, with its place.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    try:
        return environment.get_template("page.html").render(
            shops=shops,
            chart_script=script,
            style=(TEMPLATE_DIR / "style.css").read_text(encoding="utf-8"),
            page_script=(TEMPLATE_DIR / "page.js").read_text(encoding="utf-8"),
        )
    except TemplateError as error:
        place = f" line {error.lineno}" if hasattr(error, "lineno") else ""
        raise ReportError(
            f"The page could not be made: the template{place} says '{error.message}'. Correct it "
            f"in {TEMPLATE_DIR}."
        ) from error


def _shop_page(shop: ShopRows) -> ShopPage:
    return ShopPage(
        anchor=f"p-{shop.shop.property_id}",
        label=shop.shop.label,
        property_id=shop.shop.property_id,
        verdict=verdict(shop),
        facts=_facts(shop),
        warnings=_warnings(shop),
        sections=tuple(build(shop) for build in _SECTIONS),
    )


def _facts(shop: ShopRows) -> tuple[str, ...]:
    facts = [f"Property {shop.shop.property_id}"]
    if shop.shop.last_date:
        facts.append(f"data of {day(shop.shop.first_date)} to {day(shop.shop.last_date)}")
    facts += [fact for fact in (shop.shop.time_zone, shop.shop.currency) if fact]
    return tuple(facts)


def _warnings(shop: ShopRows) -> tuple[str, ...]:
    found = []
    if shop.held_back:
        reason = shop.held_back.rstrip(".")
        found.append(
            f"This property was held back: {reason}. Its numbers are those of the version before."
        )
    for step in shop.whole[:1]:
        if step.days_loaded < step.window_days:
            found.append(f"Only {step.days_loaded} of the last {step.window_days} days are loaded.")
        if not step.is_complete:
            found.append("Some numbers rest on incomplete data: see Data quality.")
        if step.maturity == "provisional":
            found.append("The newest days are provisional and may still grow a little.")
    return tuple(found)
