"""Downloads as a heatmap tool would have them, over the truth of a simulated shop.

`write_heatmaps` is the whole public interface. No tool documents its columns; these have headings
of their own, as any other file would.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pipelines.emulator.simulated_shop import SimulatedShop

__all__ = ["write_heatmaps"]

DAYS = 28
# What a click map has of a product page: key of the truth → element and text.
ELEMENTS = {
    "add_to_cart": ('button[name="add"]', "Add to cart"),
    "gallery": (".product-gallery img", ""),
    "variant_select": ('select[name="variant"]', "Size"),
    "read_more": (".description .more", "Read more"),
    "size_guide": ('a[href="#size-guide"]', "Size guide"),
    "video_play": (".product-video", ""),
    "quantity_change": ('input[name="quantity"]', ""),
    "wishlist": (".wishlist", "Save for later"),
}
MAPS = """\
maps:
  clicks: {{kind: clicks, tool: hotjar, columns: {{element: Element, text: Label, clicks: Clicks}}}}
  scroll: {{kind: scroll, tool: hotjar, columns: {{depth: Depth, visitors: Visitors}}}}
files:
  "clicks_*.csv": {{map: clicks, page: {page}, start: {start}, end: {end}}}
  "scroll_*.csv": {{map: scroll, page: {page}, start: {start}, end: {end}}}
"""


def write_heatmaps(folder: Path, to: Path) -> tuple[Path, Path]:
    """Click and scroll map of the product page with most sessions in the last 28 days.

    `folder` holds a simulation. Returns the pattern of the files and their column map, both in
    `to`. Raises EmulatorError where there is no truth.
    """
    shop = SimulatedShop.read(folder)
    first, end = (date.fromisoformat(shop.truth[name]) for name in ("start", "end"))
    start = max(end - timedelta(days=DAYS - 1), first)
    pages = [row for row in shop.rows("pages") if row["date"] >= str(start)]
    sessions = _summed(pages, "page_path", "sessions")
    page = max((one for one in sessions if one.startswith("/products/")), key=sessions.__getitem__)
    keys = [
        row
        for row in shop.rows("page_keys")
        if row["date"] >= str(start) and row["page_path"] == page
    ]
    clicks = _summed(keys, "key", "events")
    depths = {
        0: sessions[page],
        50: _summed(keys, "key", "sessions")["product_scroll_50"],
        90: _summed(pages, "page_path", "scroll_sessions")[page],
    }
    to.mkdir(parents=True, exist_ok=True)
    name = page.rpartition("/")[2]
    _write(
        to / f"clicks_{name}.csv",
        ("Element", "Label", "Clicks"),
        [(*ELEMENTS[key], clicks[key]) for key in ELEMENTS if clicks[key]],
    )
    _write(to / f"scroll_{name}.csv", ("Depth", "Visitors"), depths.items())
    columns = to / "heatmap_columns.yml"
    columns.write_text(MAPS.format(page=page, start=start, end=end), encoding="utf-8")
    return to / "*.csv", columns


def _summed(rows: Iterable[dict[str, Any]], by: str, what: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in rows:
        found[row[by]] += row[what]
    return found


def _write(path: Path, headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([headings, *rows])
