"""Where people click on a page, and how far down they scroll."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from pipelines.warehouse.newest_fetches import NEWEST_FETCHES

MAPS_SHOWN, ELEMENTS_SHOWN, PAGES_SHOWN = 3, 8, 5
# The newest maps with most clicks; the add-to-cart button of a map also where others get more.
CLICKS = f"""
    with maps as (
        select *, dense_rank() over (
            order by all_clicks desc, page_path, tool, device
        ) as map_rank
        from marts.fct_heatmap_click where property_id = $property and is_newest
    )
    select tool, page_path, device, period_start, period_end, click_rank,
        max(click_rank) over (partition by map_rank) as elements,
        element, element_text, is_add_to_cart, clicks, all_clicks, click_share
    from maps where map_rank <= {MAPS_SHOWN}
    qualify click_rank <= {ELEMENTS_SHOWN} or is_add_to_cart
    order by map_rank, click_rank
"""
# Of the pages that a map was downloaded of, and of those that are seen most.
SCROLLS = f"""
    with pages as (
        select page_path from marts.fct_scroll_depth where property_id = $property
        group by page_path
        order by bool_or(tool <> 'ga4') desc, max(entered) desc, page_path limit {PAGES_SHOWN}
    )
    select tool, page_path, device, period_start, period_end, depth_percent, unit, reached,
        entered, scroll_share
    from marts.fct_scroll_depth
    where property_id = $property and depth_percent > 0
        and page_path in (select pages.page_path from pages)
    qualify period_end = max(period_end) over (partition by tool, page_path, device)
    order by page_path, tool, device, period_start, depth_percent
"""
# What the newest night could not read; both kinds of maps are read from the same files.
REFUSED = f"""
    select distinct message from {NEWEST_FETCHES}
    where property_id = $property and source = 'heatmaps' and message <> '' and not is_left_out
    order by message
"""


@dataclass(frozen=True)
class Refused:
    """Why files of heatmaps are not read: a sentence for each."""

    message: str


@dataclass(frozen=True)
class Click:
    """An element of a page and its share of the map's clicks."""

    tool: str
    page_path: str
    device: str
    period_start: date
    period_end: date
    click_rank: int
    elements: int
    element: str
    element_text: str
    is_add_to_cart: bool
    clicks: int
    all_clicks: int
    click_share: float | None


@dataclass(frozen=True)
class Scroll:
    """Which share of those who came to a page scrolled so far down."""

    tool: str
    page_path: str
    device: str
    period_start: date
    period_end: date
    depth_percent: float
    unit: str
    reached: int | None
    entered: int
    scroll_share: float | None
