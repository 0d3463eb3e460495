"""Puts the sections of every property into the template: one HTML file without a network.

Where one file would be too large it is an index, and every property has a file of its own.
Templates and style are files of the folder `template`; all colours and sizes are there.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from pipelines.errors import ReportError
from pipelines.publishing.versions import pages_beside
from pipelines.report.charts import HEIGHT, WIDTH
from pipelines.report.components import FindingCard, Section, WindowPart
from pipelines.report.files import write_whole
from pipelines.report.formatting import bare_day, whole_percent
from pipelines.report.page_data import PropertyData, Window
from pipelines.report.queries import property_ids, read_shop
from pipelines.report.rows.funnel import WEEKS_SHOWN
from pipelines.report.sections.advice_sections import hint_section, tracking_section
from pipelines.report.sections.benchmark_section import benchmark_section
from pipelines.report.sections.boxes import boxes
from pipelines.report.sections.change_sections import alert_section, change_section
from pipelines.report.sections.figures import figures
from pipelines.report.sections.finding_cards import finding_cards
from pipelines.report.sections.friction_section import friction_section
from pipelines.report.sections.funnel_section import (
    device_section,
    end_marks,
    funnel_rows,
    period,
)
from pipelines.report.sections.heatmap_section import heatmap_section
from pipelines.report.sections.micro_section import micro_section
from pipelines.report.sections.plan_section import plan_section
from pipelines.report.sections.quality_section import quality_section
from pipelines.report.sections.register_section import register_section
from pipelines.report.sections.shopify_section import shopify_section
from pipelines.report.sections.verdict import facts, lines, rest, verdict, warnings

# A page opens from a mail and on a phone: it never grows past this. In bytes.
LARGEST_PAGE = 2_000_000
TEMPLATE_DIR = Path(__file__).parent / "template"
_SECTIONS = (
    change_section,
    register_section,
    plan_section,
    alert_section,
    shopify_section,
    hint_section,
    friction_section,
    heatmap_section,
    tracking_section,
    quality_section,
)
_WINDOW_SECTIONS = (device_section, micro_section, benchmark_section)


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
    lines: tuple[str, ...] = ()
    cards: tuple[FindingCard, ...] = ()
    # What is said of the steps without a card.
    rest: str = ""
    windows: tuple[WindowPart, ...] = ()
    more: tuple[Section, ...] = ()

    @property
    def file(self) -> str:
        """Safe as a file and as a link, whatever the id."""
        return re.sub(r"[^0-9A-Za-z_-]", "-", self.property_id) + ".html"


def write_page(connection: duckdb.DuckDBPyConnection, path: Path) -> tuple[Path, ...]:
    """Write the page over what `connection` shows as `marts` and `ops`; returns its files.

    Raises ReportError for a broken template or a full disk.
    """
    shops = tuple(property_page(connection, name) for name in property_ids(connection))
    return write_shops(shops, path)


def property_page(connection: duckdb.DuckDBPyConnection, property_id: str) -> ShopPage:
    """What the page says of one property; a fault in its rows is raised here, and by no other."""
    shop = read_shop(connection, property_id)
    cards = finding_cards(shop)
    first, *others = verdict(shop)
    return ShopPage(
        anchor=f"p-{property_id}",
        label=shop.shop.label,
        property_id=property_id,
        verdict=first,
        facts=facts(shop),
        warnings=warnings(shop),
        lines=(*others, *lines(shop)),
        cards=cards,
        rest=" ".join(rest(shop)) if cards else "",
        windows=tuple(_window_part(shop, window) for window in (shop.month, shop.week)),
        more=tuple(filter(None, (build(shop) for build in _SECTIONS))),
    )


def _window_part(shop: PropertyData, window: Window) -> WindowPart:
    return WindowPart(
        days=window.days,
        period=period(window),
        figures=figures(shop, window),
        funnel=funnel_rows(shop, window),
        ends=end_marks(window.ends),
        boxes=boxes(window),
        more=tuple(build(window) for build in _WINDOW_SECTIONS),
    )


def write_shops(shops: tuple[ShopPage, ...], path: Path) -> tuple[Path, ...]:
    """Write all into `path`; where that would be too large, an index and a file a property.

    Returns the files, `path` last: whoever reads it finds all it links to. Raises as `write_page`.
    """
    folder, page = pages_beside(path), render(shops)
    files: dict[Path, str] = {}
    if len(shops) > 1 and len(page.encode()) > LARGEST_PAGE:
        index = quote(path.name)
        files = {folder / shop.file: render((shop,), index=index) for shop in shops}
        page = _filled("index.html", shops=shops, folder=quote(folder.name))
    files[path] = page
    for name, text in files.items():
        write_whole(name, text)
    return tuple(files)


def render(shops: tuple[ShopPage, ...], index: str = "") -> str:
    """The page as HTML; `index` is the link of a single property's page.

    Raises ReportError where a template has a mistake, with its place.
    """
    return _filled("page.html", shops=shops, index=index)


@cache
def _environment(folder: Path) -> Environment:
    """It keeps its compiled templates: with many properties they cost more than all of the rest."""
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(chart_width=WIDTH, chart_height=HEIGHT, weeks_shown=WEEKS_SHOWN)
    environment.filters.update(bare_day=bare_day, whole_percent=whole_percent)
    return environment


def _filled(template: str, **values: Any) -> str:
    style = (TEMPLATE_DIR / "style.css").read_text(encoding="utf-8")
    try:
        return _environment(TEMPLATE_DIR).get_template(template).render(style=style, **values)
    except TemplateError as error:
        place = f" line {error.lineno}" if hasattr(error, "lineno") else ""
        raise ReportError(
            f"The page could not be made: the template{place} says '{error.message}'. Correct it "
            f"in {TEMPLATE_DIR}."
        ) from error
