"""Puts the sections of every property into the template: one HTML file without a network.

Where one file would be too large it is an index, and every property has a file of its own.
Template, style and script are files of the folder `template`; all colours and sizes are there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from pipelines.errors import ReportError
from pipelines.publishing.versions import pages_beside
from pipelines.report.components import Section
from pipelines.report.files import write_whole
from pipelines.report.formatting import day
from pipelines.report.javascript import chart_script
from pipelines.report.page_data import PropertyData
from pipelines.report.queries import property_ids, read_shop
from pipelines.report.sections.advice_sections import diagnosis_section, tracking_section
from pipelines.report.sections.change_sections import alert_section, change_section
from pipelines.report.sections.funnel_sections import device_section, funnel_section
from pipelines.report.sections.leak_section import leak_section, verdict
from pipelines.report.sections.micro_section import micro_section
from pipelines.report.sections.quality_section import quality_section

# A page opens from a mail and on a phone: it never grows past this. In bytes.
LARGEST_PAGE = 2_000_000
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
    """One property on the page.

    `anchor` is its id in the page and in the address, `file` its name where it has one of its own.
    """

    anchor: str
    label: str
    property_id: str
    verdict: str
    facts: tuple[str, ...]
    warnings: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def file(self) -> str:
        """Safe as a file and as a link, whatever the id."""
        return re.sub(r"[^0-9A-Za-z_-]", "-", self.property_id) + ".html"


def write_page(
    connection: duckdb.DuckDBPyConnection, path: Path, cache_dir: Path
) -> tuple[Path, ...]:
    """Write the page over what `connection` shows as `marts` and `ops`; returns its files.

    `cache_dir` keeps the charts' script. Raises ReportError for a broken template or a full disk.
    """
    shops = tuple(property_page(connection, name) for name in property_ids(connection))
    return write_shops(shops, path, cache_dir)


def property_page(connection: duckdb.DuckDBPyConnection, property_id: str) -> ShopPage:
    """What the page says of one property; a fault in its rows is raised here, and by no other."""
    shop = read_shop(connection, property_id)
    return ShopPage(
        anchor=f"p-{property_id}",
        label=shop.shop.label,
        property_id=property_id,
        verdict=verdict(shop),
        facts=_facts(shop),
        warnings=_warnings(shop),
        sections=tuple(build(shop) for build in _SECTIONS),
    )


def write_shops(shops: tuple[ShopPage, ...], path: Path, cache_dir: Path) -> tuple[Path, ...]:
    """Write all into `path`; where that would be too large, an index and a file a property.

    Returns the files, `path` last: whoever reads it finds all it links to. Raises as `write_page`.
    """
    script = chart_script(cache_dir)
    folder, page = pages_beside(path), render(shops, script)
    files: dict[Path, str] = {}
    if len(shops) > 1 and len(page.encode()) > LARGEST_PAGE:
        index = quote(path.name)
        files = {folder / shop.file: render((shop,), script, index=index) for shop in shops}
        page = _filled("index.html", shops=shops, folder=quote(folder.name))
    files[path] = page
    for name, text in files.items():
        write_whole(name, text)
    return tuple(files)


def render(shops: tuple[ShopPage, ...], script: str, index: str = "") -> str:
    """The page as HTML; `script` draws the charts, `index` is the link of a single property's page.

    Raises ReportError where a template has a mistake, with its place.
    """
    page_script = (TEMPLATE_DIR / "page.js").read_text(encoding="utf-8")
    return _filled(
        "page.html", shops=shops, index=index, chart_script=script, page_script=page_script
    )


def _filled(template: str, **values: Any) -> str:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATE_DIR),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (TEMPLATE_DIR / "style.css").read_text(encoding="utf-8")
    try:
        return environment.get_template(template).render(style=style, **values)
    except TemplateError as error:
        place = f" line {error.lineno}" if hasattr(error, "lineno") else ""
        raise ReportError(
            f"The page could not be made: the template{place} says '{error.message}'. Correct it "
            f"in {TEMPLATE_DIR}."
        ) from error


def _facts(shop: PropertyData) -> tuple[str, ...]:
    facts = [f"Property {shop.shop.property_id}"]
    if shop.shop.last_date:
        facts.append(f"data of {day(shop.shop.first_date)} to {day(shop.shop.last_date)}")
    facts += [fact for fact in (shop.shop.time_zone, shop.shop.currency) if fact]
    return tuple(facts)


def _warnings(shop: PropertyData) -> tuple[str, ...]:
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
