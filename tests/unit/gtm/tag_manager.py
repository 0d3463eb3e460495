"""What Tag Manager takes: the shape of its file and of what stands in it, and that all of it is
there.

Names of keys and values are facts of its API (v2, as of August 2026), in the capitals of a
file; which keys a tag or a trigger has in one, real exports of web containers tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

# Tag Manager's own triggers, which no file holds: all pages, initialization, consent.
OF_THE_SYSTEM = {"2147479553", "2147479573", "2147479593"}
# Its variable of the event's name, which is not listed either.
INTERNAL = {"_event"}
ID = Field(pattern="^[0-9]+$")


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Parameter(Strict):
    type: Literal["TEMPLATE", "INTEGER", "BOOLEAN", "LIST", "MAP"]
    key: str | None = None
    value: str | None = None
    list_: list[Parameter] | None = Field(None, alias="list")
    map_: list[Parameter] | None = Field(None, alias="map")

    @model_validator(mode="after")
    def is_whole(self) -> Parameter:
        kinds = {"LIST": "list_", "MAP": "map_"}
        content = kinds.get(self.type, "value")
        others = {"value", "list_", "map_"} - {content}
        assert all(getattr(self, name) is None for name in others)
        if self.type == "BOOLEAN":
            assert self.value in {"true", "false"}
        if self.type == "INTEGER":
            assert self.value is not None and self.value.isdecimal()
        assert all(one.key is None for one in self.list_ or ())
        keys = [one.key for one in self.map_ or ()]
        assert None not in keys and len(set(keys)) == len(keys)
        return self


class Condition(Strict):
    type: Literal["EQUALS", "CONTAINS", "STARTS_WITH", "ENDS_WITH", "MATCH_REGEX", "CSS_SELECTOR"]
    parameter: list[Parameter]

    @model_validator(mode="after")
    def has_two_sides(self) -> Condition:
        assert [one.key for one in self.parameter[:2]] == ["arg0", "arg1"]
        assert all(one.type == "TEMPLATE" and one.value for one in self.parameter[:2])
        return self


class Entity(Strict):
    accountId: str = ID  # noqa: N815
    containerId: str = ID  # noqa: N815
    name: str = Field(min_length=1)


class Numbered(Entity):
    fingerprint: str = ID
    parentFolderId: str = ID  # noqa: N815


class Monitoring(Strict):
    type: Literal["MAP"]


class Consent(Strict):
    consentStatus: Literal["NOT_SET", "NOT_NEEDED", "NEEDED"]  # noqa: N815


class Tag(Numbered):
    tagId: str = ID  # noqa: N815
    type: Literal["googtag", "gaawe"]
    parameter: list[Parameter]
    firingTriggerId: list[str] = Field(min_length=1)  # noqa: N815
    tagFiringOption: Literal["UNLIMITED", "ONCE_PER_EVENT", "ONCE_PER_LOAD"]  # noqa: N815
    monitoringMetadata: Monitoring  # noqa: N815
    consentSettings: Consent  # noqa: N815

    @model_validator(mode="after")
    def has_its_parameters(self) -> Tag:
        """Those that tags of this type have in exports."""
        keys = [one.key for one in self.parameter]
        assert len(set(keys)) == len(keys)
        needed, possible = {
            "googtag": ({"tagId"}, {"configSettingsTable", "eventSettingsTable"}),
            "gaawe": (
                {"eventName", "measurementIdOverride", "sendEcommerceData", "enhancedUserId"},
                {"getEcommerceDataFrom", "eventSettingsTable"},
            ),
        }[self.type]
        assert needed <= set(keys) <= needed | possible
        sends = (
            self.parameter[keys.index("sendEcommerceData")].value if "gaawe" in self.type else ""
        )
        assert ("getEcommerceDataFrom" in keys) == (sends == "true")
        return self


# What exported triggers have beside what every entity has: keys of their own, and of `parameter`.
_TRIGGERS: dict[str, tuple[set[str], set[str]]] = {
    "CUSTOM_EVENT": ({"customEventFilter"}, set()),
    "CLICK": ({"filter"}, set()),
    "LINK_CLICK": (
        {"filter", "waitForTags", "checkValidation", "waitForTagsTimeout", "uniqueTriggerId"},
        set(),
    ),
    "ELEMENT_VISIBILITY": (
        {"parameter"},
        {
            "useOnScreenDuration", "useDomChangeListener", "elementSelector", "firingFrequency",
            "selectorType", "onScreenRatio",
        },
    ),
    "SCROLL_DEPTH": (
        {"parameter"},
        {
            "verticalThresholdOn", "verticalThresholdUnits", "verticalThresholdsPercent",
            "horizontalThresholdOn", "triggerStartOption",
        },
    ),
    "YOU_TUBE_VIDEO": (
        {"parameter"},
        {
            "captureStart", "captureComplete", "capturePause", "captureProgress", "fixMissingApi",
            "triggerStartOption",
        },
    ),
}  # fmt: skip


class Trigger(Numbered):
    triggerId: str = ID  # noqa: N815
    type: str
    filter: list[Condition] | None = None
    customEventFilter: list[Condition] | None = None  # noqa: N815
    parameter: list[Parameter] | None = None
    waitForTags: Parameter | None = None  # noqa: N815
    checkValidation: Parameter | None = None  # noqa: N815
    waitForTagsTimeout: Parameter | None = None  # noqa: N815
    uniqueTriggerId: Parameter | None = None  # noqa: N815

    @model_validator(mode="after")
    def has_its_keys(self) -> Trigger:
        assert self.type in _TRIGGERS
        own, parameters = _TRIGGERS[self.type]
        common = {*Numbered.model_fields, "triggerId", "type"}
        assert self.model_fields_set == common | own
        assert {one.key for one in self.parameter or ()} == parameters
        return self


class Variable(Numbered):
    variableId: str = ID  # noqa: N815
    type: Literal["c", "v"]
    parameter: list[Parameter]
    formatValue: dict[str, str]  # noqa: N815

    @model_validator(mode="after")
    def has_its_parameters(self) -> Variable:
        wanted = {"c": {"value"}, "v": {"dataLayerVersion", "setDefaultValue", "name"}}
        assert {one.key for one in self.parameter} == wanted[self.type]
        return self


class Folder(Entity):
    folderId: str = ID  # noqa: N815
    fingerprint: str = ID


class BuiltIn(Entity):
    type: Literal[
        "EVENT", "PAGE_PATH", "PAGE_URL", "CLICK_ELEMENT", "CLICK_CLASSES", "CLICK_ID", "CLICK_URL",
        "CLICK_TEXT", "SCROLL_DEPTH_THRESHOLD", "VIDEO_CURRENT_TIME", "VIDEO_DURATION",
        "VIDEO_PERCENT", "VIDEO_PROVIDER", "VIDEO_TITLE", "VIDEO_URL",
    ]  # fmt: skip


class Owner(Entity):
    path: str
    publicId: str = Field(pattern="^GTM-")  # noqa: N815
    usageContext: list[Literal["WEB"]] = Field(min_length=1)  # noqa: N815
    fingerprint: str = ID


class Version(Strict):
    path: str
    accountId: str = ID  # noqa: N815
    containerId: str = ID  # noqa: N815
    containerVersionId: Literal["0"]  # noqa: N815
    container: Owner
    tag: list[Tag]
    trigger: list[Trigger]
    variable: list[Variable]
    folder: list[Folder]
    builtInVariable: list[BuiltIn]  # noqa: N815
    fingerprint: str = ID


class File(Strict):
    """A whole export of a web container; raises where Tag Manager could not import it."""

    exportFormatVersion: Literal[2]  # noqa: N815
    containerVersion: Version  # noqa: N815

    @model_validator(mode="after")
    def is_consistent(self) -> File:
        """Ids and names are unique in each layer, and what is named is there."""
        version = self.containerVersion
        layers: dict[str, list[Any]] = {
            "tagId": list(version.tag), "triggerId": list(version.trigger),
            "variableId": list(version.variable), "folderId": list(version.folder),
        }  # fmt: skip
        ids = {key: [getattr(one, key) for one in layer] for key, layer in layers.items()}
        names = {key: [one.name for one in layer] for key, layer in layers.items()}
        names["variableId"] += [one.name for one in version.builtInVariable]
        for found in (*ids.values(), *names.values()):
            assert len(set(found)) == len(found)
        fired = {one for tag in version.tag for one in tag.firingTriggerId} - OF_THE_SYSTEM
        assert fired == set(ids["triggerId"]), "every trigger fires a tag, and no other one does"
        owned: list[Numbered] = [*version.tag, *version.trigger, *version.variable]
        assert {one.parentFolderId for one in owned} <= set(ids["folderId"])
        used = set(_variables(version.model_dump()))
        assert used - INTERNAL == set(names["variableId"]), "every variable is there, and is used"
        return self


def _variables(part: Any) -> Iterator[str]:
    """Every {{name}} in any text."""
    if isinstance(part, dict | list):
        for one in part.values() if isinstance(part, dict) else part:
            yield from _variables(one)
    elif isinstance(part, str):
        yield from re.findall(r"\{\{(.*?)\}\}", part)
