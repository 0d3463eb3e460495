"""When a tag fires: one trigger an event. Pure."""

from __future__ import annotations

from pipelines.config.tracking_plan import TriggerKind
from pipelines.gtm.events import SentEvent
from pipelines.gtm.parameters import Part, boolean, condition, template, variable
from pipelines.gtm.variables import CLICKED

# Tag Manager's own trigger "Initialization - All Pages", which no file holds.
INITIALIZATION = "2147479573"
_EVENT = "_event"
# How much of an element has to be seen, in per cent.
_SEEN = "50"


def trigger_of(event: SentEvent) -> Part:
    """What differs between kinds: its type, and what it watches."""
    match event.kind:
        case TriggerKind.EVENT:
            named = condition("EQUALS", variable(_EVENT), event.name)
            return {"type": "CUSTOM_EVENT", "customEventFilter": [named]}
        case TriggerKind.CLICK:
            return {"type": "CLICK", "filter": [_clicked(event)]}
        case TriggerKind.LINK_CLICK:
            return {
                "type": "LINK_CLICK",
                "filter": [_clicked(event)],
                "waitForTags": {"type": "BOOLEAN", "value": "false"},
                "checkValidation": {"type": "BOOLEAN", "value": "false"},
                "waitForTagsTimeout": {"type": "TEMPLATE", "value": "2000"},
                "uniqueTriggerId": {"type": "TEMPLATE"},
            }
        case TriggerKind.VISIBLE:
            # Keys and values are those of containers that are live.
            return _watching(
                "ELEMENT_VISIBILITY",
                boolean("useOnScreenDuration", False),
                boolean("useDomChangeListener", True),
                template("elementSelector", ", ".join(event.selectors)),
                template("firingFrequency", "ONCE"),
                template("selectorType", "CSS"),
                template("onScreenRatio", _SEEN),
            )
        case TriggerKind.SCROLL:
            return _watching(
                "SCROLL_DEPTH",
                boolean("verticalThresholdOn", True),
                template("verticalThresholdUnits", "PERCENT"),
                template("verticalThresholdsPercent", ",".join(map(str, event.depths))),
                boolean("horizontalThresholdOn", False),
                template("triggerStartOption", "WINDOW_LOAD"),
            )
        case TriggerKind.VIDEO:
            return _watching(
                "YOU_TUBE_VIDEO",
                boolean("captureStart", True),
                boolean("captureComplete", False),
                boolean("capturePause", False),
                boolean("captureProgress", False),
                boolean("fixMissingApi", True),
                template("triggerStartOption", "WINDOW_LOAD"),
            )


def _watching(kind: str, *parameters: Part) -> Part:
    return {"type": kind, "parameter": list(parameters)}


def _clicked(event: SentEvent) -> Part:
    """On one of the elements, or on something inside of it, such as a button's icon."""
    whole = ", ".join(event.selectors)
    # A comma would end the selector that "inside" refers to.
    whole = f":is({whole})" if "," in whole else whole
    return condition("CSS_SELECTOR", variable(CLICKED.name), f"{whole}, {whole} *")
