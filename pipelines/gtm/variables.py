"""Where a tag takes values from: the data layer, or Tag Manager's own variables. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pipelines.config.tracking_plan import TriggerKind
from pipelines.gtm.parameters import Part, boolean, template

# GA4's own parameter of its event `scroll`.
SCROLLED = "percent_scrolled"


@dataclass(frozen=True)
class BuiltIn:
    """A variable that Tag Manager has, once it is listed in the file: its type and its name."""

    type: str
    name: str


CLICKED = BuiltIn("CLICK_ELEMENT", "Click Element")
_LINK = {
    "link_classes": BuiltIn("CLICK_CLASSES", "Click Classes"),
    "link_id": BuiltIn("CLICK_ID", "Click ID"),
    "link_text": BuiltIn("CLICK_TEXT", "Click Text"),
    "link_url": BuiltIn("CLICK_URL", "Click URL"),
}
# Of what Tag Manager watches it knows what GA4 sends of the same: GA4's parameter → variable.
WATCHED: dict[TriggerKind, dict[str, BuiltIn]] = {
    TriggerKind.CLICK: _LINK,
    TriggerKind.LINK_CLICK: _LINK,
    TriggerKind.SCROLL: {SCROLLED: BuiltIn("SCROLL_DEPTH_THRESHOLD", "Scroll Depth Threshold")},
    TriggerKind.VIDEO: {
        "video_current_time": BuiltIn("VIDEO_CURRENT_TIME", "Video Current Time"),
        "video_duration": BuiltIn("VIDEO_DURATION", "Video Duration"),
        "video_percent": BuiltIn("VIDEO_PERCENT", "Video Percent"),
        "video_provider": BuiltIn("VIDEO_PROVIDER", "Video Provider"),
        "video_title": BuiltIn("VIDEO_TITLE", "Video Title"),
        "video_url": BuiltIn("VIDEO_URL", "Video URL"),
    },
}
# What GA4 sends along with its automatic events by itself.
GA4_OWN = frozenset(name for own in WATCHED.values() for name in own)


def constant(value: str) -> Part:
    """A variable with one value."""
    return {"type": "c", "parameter": [template("value", value)]}


def from_data_layer(name: str) -> Part:
    """The newest value of this name in the data layer; dots lead into objects."""
    return {
        "type": "v",
        "parameter": [
            {"type": "INTEGER", "key": "dataLayerVersion", "value": "2"},
            boolean("setDefaultValue", False),
            template("name", name),
        ],
    }


def listed(found: Iterable[BuiltIn]) -> list[Part]:
    """Each once, by type; they have no id."""
    return [
        {"type": one.type, "name": one.name} for one in sorted(set(found), key=lambda one: one.type)
    ]
