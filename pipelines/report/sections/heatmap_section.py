"""Click maps as ranked lists, and how far people scroll."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter

from pipelines.report import formatting
from pipelines.report.components import Section, Table, columns, filled
from pipelines.report.page_data import PropertyData
from pipelines.report.rows.heatmaps import Click, Scroll

_MARK = "▶ add to cart: "
_TOOLS = {"ga4": "GA4"}
_NOTES = (
    "Each tool counts for itself: its numbers are compared with nobody else's, and maps of several "
    "devices or periods are never added up.",
)


def heatmap_section(shop: PropertyData) -> Section | None:
    """None where nothing is known of clicks or scrolling."""
    refused = tuple(f"Not read: {one.message}" for one in shop.refused_heatmaps)
    if not shop.clicks and not shop.scrolls and not refused:
        return None
    maps = [
        list(rows)
        for _, rows in groupby(
            shop.clicks, attrgetter("tool", "page_path", "device", "period_start", "period_end")
        )
    ]
    said = tuple(map(_said, maps)) or (
        "No click map was downloaded: docs/heatmaps.md says how to add one.",
    )
    return Section(
        "Clicks and scrolling on pages",
        (*said, *refused, *shop.left_out_words("heatmaps")),
        tables=filled(*map(_click_table, maps), _scroll_table(shop.scrolls)),
        notes=_NOTES,
    )


def _said(rows: Sequence[Click]) -> str:
    """Where the add-to-cart button stands in a map."""
    first = rows[0]
    where = f"{first.page_path}, {_device(first)}"
    button = next((one for one in rows if one.is_add_to_cart), None)
    if button is None:
        return f"{where}: no element of the map looks like the add-to-cart button."
    share = formatting.rate_of(button.click_share, button.clicks, button.all_clicks)
    return (
        f"{where}: the add-to-cart button got {share} of the clicks, place {button.click_rank} of "
        f"{button.elements} elements."
    )


def _click_table(rows: Sequence[Click]) -> Table:
    first = rows[0]
    return Table(
        f"Clicks on {first.page_path}, {_device(first)}, {_period(first)}, by {_tool(first)}",
        columns("Element", "#Clicks", "#Share"),
        tuple(
            (
                f"{_MARK if one.is_add_to_cart else ''}{_element(one)}",
                formatting.count(one.clicks),
                formatting.percent(one.click_share),
            )
            for one in rows
        ),
    )


def _scroll_table(rows: Sequence[Scroll]) -> Table:
    return Table(
        "How far people scroll",
        columns("Page", "By", "#Down to", "#Share", "#Reached", "#Of"),
        tuple(
            (
                one.page_path,
                f"{_tool(one)}, {_device(one)}, {_period(one)}",
                f"{one.depth_percent:g} %",
                formatting.percent(one.scroll_share),
                formatting.count(one.reached),
                f"{formatting.count(one.entered)} {one.unit}",
            )
            for one in rows
        ),
    )


def _element(one: Click) -> str:
    return f"{one.element} “{one.element_text}”" if one.element_text else one.element


def _device(one: Click | Scroll) -> str:
    return "all devices" if one.device == "all" else one.device


def _tool(one: Click | Scroll) -> str:
    return _TOOLS.get(one.tool, one.tool)


def _period(one: Click | Scroll) -> str:
    return f"{formatting.day(one.period_start)} to {formatting.day(one.period_end)}"
