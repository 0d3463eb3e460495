"""The raw tables of heatmaps: what one row is, and which columns it has."""

from __future__ import annotations

from pipelines.sources.contract import SourceTable

# What one download is of: a later one of the same replaces it, whatever its file is called.
MAP = ("tool", "page_path", "device", "period_start", "period_end")
# Of all that the file holds: what its column map said of it before is corrected by that of today.
DIGEST = "file_digest"
_ABOUT = {
    "tool": "VARCHAR",
    "page_path": "VARCHAR",
    "device": "VARCHAR",
    "period_start": "DATE",
    "period_end": "DATE",
    "file": "VARCHAR",
    DIGEST: "VARCHAR",
}
HEATMAP_CLICK = SourceTable(
    "heatmap_click",
    "Clicks on the elements of a page, by a heatmap tool's own count.",
    {**_ABOUT, "element": "VARCHAR", "element_text": "VARCHAR", "clicks": "BIGINT"},
    keys=(*MAP, "element", "element_text"),
    counts=("clicks",),
)
HEATMAP_SCROLL = SourceTable(
    "heatmap_scroll",
    "How far down a page its visitors came, by a heatmap tool's own count.",
    {
        **_ABOUT,
        "depth_percent": "DOUBLE",
        "visitors": "BIGINT",
        "all_visitors": "BIGINT",
        "share": "DOUBLE",
    },
    keys=(*MAP, "depth_percent"),
    counts=("visitors", "all_visitors"),
)
HEATMAP_TABLES = (HEATMAP_CLICK, HEATMAP_SCROLL)
