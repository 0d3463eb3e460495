"""The container: tags, triggers, variables and a folder, with ids of its own. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path

from pipelines.config.tracking_plan import TriggerKind
from pipelines.config.tracking_plan.event_names import ECOMMERCE
from pipelines.errors import ConfigError
from pipelines.gtm.events import Selection, SentEvent
from pipelines.gtm.parameters import Part, boolean, table, template, variable
from pipelines.gtm.triggers import INITIALIZATION, trigger_of
from pipelines.gtm.variables import CLICKED, WATCHED, BuiltIn, constant, from_data_layer, listed

# Tag Manager publishes no larger container; what it makes of the file is smaller than the file.
MOST_BYTES = 200_000
PREFIX = "sluice - "
FOLDER = f"{PREFIX}tracking plan"
GOOGLE_TAG = f"{PREFIX}Google tag"
# By another name: it must never replace the one that sends the shop's page views.
SILENT_GOOGLE_TAG = f"{GOOGLE_TAG} (no page views)"
MEASUREMENT_ID = f"{PREFIX}GA4 measurement ID"
# Whatever stands here becomes the account and the container that the file is imported into.
_OWNER = {"accountId": "1", "containerId": "1"}
_PATH = "accounts/1/containers/1"
# Tag Manager computes it anew.
_FINGERPRINT = {"fingerprint": "1"}
_CLICKS = frozenset({TriggerKind.CLICK, TriggerKind.LINK_CLICK})


def build_container(selection: Selection, measurement_id: str) -> Part:
    """What Tag Manager imports, for a web container, in an order and with ids that do not change.

    `measurement_id`: as `read_measurement_id` returns it.
    """
    ids = map(str, count(1))
    folder = next(ids)
    common = {**_FINGERPRINT, "parentFolderId": folder}
    triggers = [
        {**_OWNER, "triggerId": next(ids), "name": _name(event), **trigger_of(event), **common}
        for event in selection.events
    ]
    bodies = [
        {**_google_tag(selection), "firingTriggerId": [INITIALIZATION]},
        *(
            {"name": _name(event), **_event_tag(event), "firingTriggerId": [trigger["triggerId"]]}
            for event, trigger in zip(selection.events, triggers, strict=True)
        ),
    ]
    tags = [{**_OWNER, "tagId": next(ids), **body, **common, **_firing()} for body in bodies]
    variables = [
        {**_OWNER, "variableId": next(ids), "name": name, **body, **common, "formatValue": {}}
        for name, body in _variables(selection, measurement_id).items()
    ]
    return {
        "exportFormatVersion": 2,
        "containerVersion": {
            "path": f"{_PATH}/versions/0",
            **_OWNER,
            "containerVersionId": "0",
            "container": {
                "path": _PATH,
                **_OWNER,
                "name": "sluice",
                "publicId": "GTM-0000000",
                "usageContext": ["WEB"],
                **_FINGERPRINT,
            },
            "tag": tags,
            "trigger": triggers,
            "variable": variables,
            "folder": [{**_OWNER, "folderId": folder, "name": FOLDER, **_FINGERPRINT}],
            "builtInVariable": [{**_OWNER, **one} for one in listed(_built_ins(selection.events))],
            **_FINGERPRINT,
        },
    }


def to_json(container: Part) -> str:
    """The text of the file. Raises ConfigError: more than Tag Manager publishes."""
    size = len(json.dumps(container, separators=(",", ":")).encode())
    if size > MOST_BYTES:
        raise ConfigError(
            f"The container would have {size:,} bytes, and Tag Manager publishes none above "
            f"{MOST_BYTES:,}: leave --all out, or put the keys that the shop does not have under "
            "not_applicable in tracking_plan.yml."
        )
    return json.dumps(container, indent=2, ensure_ascii=False) + "\n"


def refuse_other_file(path: Path) -> None:
    """Raises ConfigError: Tag Manager imports plain JSON, and nothing that is called otherwise; and
    what somebody else wrote, as their own container, is not to be lost.
    """
    if path.suffix != ".json":
        raise ConfigError(f"--out {path} does not end with .json, as Tag Manager wants it: do so.")
    try:
        written = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    if written.strip() and f'"name": "{FOLDER}"' not in written:
        raise ConfigError(
            f"--out {path} is there already and is no container of Sluice's: name another file, or "
            "move it away."
        )


def _name(event: SentEvent) -> str:
    return f"{PREFIX}{event.name} ({event.kind.replace('_', ' ')})"


def _firing() -> Part:
    # Whether a tag waits for consent is the shop's to set.
    return {
        "tagFiringOption": "ONCE_PER_EVENT",
        "monitoringMetadata": {"type": "MAP"},
        "consentSettings": {"consentStatus": "NOT_SET"},
    }


def _google_tag(selection: Selection) -> Part:
    parameters = [template("tagId", variable(MEASUREMENT_ID))]
    if not selection.has_page_views:
        # The shop's own tag sends them: they would count twice.
        parameters.append(table("configSettingsTable", {"send_page_view": "false"}))
    if selection.page_parameters:
        rows = {name: variable(f"{PREFIX}{name}") for name in selection.page_parameters}
        parameters.append(table("eventSettingsTable", rows))
    name = GOOGLE_TAG if selection.has_page_views else SILENT_GOOGLE_TAG
    return {"name": name, "type": "googtag", "parameter": parameters}


def _event_tag(event: SentEvent) -> Part:
    is_ecommerce = event.name in ECOMMERCE
    parameters = [boolean("sendEcommerceData", is_ecommerce)]
    if is_ecommerce:
        parameters.append(template("getEcommerceDataFrom", "dataLayer"))
    parameters.append(boolean("enhancedUserId", False))
    if event.parameters:
        rows = {name: variable(_source(event, name)) for name in event.parameters}
        parameters.append(table("eventSettingsTable", rows))
    parameters += [
        template("eventName", event.name),
        template("measurementIdOverride", variable(MEASUREMENT_ID)),
    ]
    return {"type": "gaawe", "parameter": parameters}


def _source(event: SentEvent, parameter: str) -> str:
    """The variable that has the parameter's value when the event happens."""
    watched = WATCHED.get(event.kind, {}).get(parameter)
    return watched.name if watched else f"{PREFIX}{_data_layer_name(event, parameter)}"


def _data_layer_name(event: SentEvent, parameter: str) -> str:
    """Google's guide puts what belongs to an ecommerce event into `ecommerce`."""
    return f"ecommerce.{parameter}" if event.name in ECOMMERCE else parameter


def _variables(selection: Selection, measurement_id: str) -> dict[str, Part]:
    """Name → variable: the constant, then those of the data layer by name."""
    pushed = {
        *selection.page_parameters,
        *(
            _data_layer_name(event, one)
            for event in selection.events
            for one in event.parameters
            if one not in WATCHED.get(event.kind, {})
        ),
    }
    return {
        MEASUREMENT_ID: constant(measurement_id),
        **{f"{PREFIX}{name}": from_data_layer(name) for name in sorted(pushed)},
    }


def _built_ins(events: Iterable[SentEvent]) -> Iterator[BuiltIn]:
    for event in events:
        if event.kind in _CLICKS:
            yield CLICKED
        watched = WATCHED.get(event.kind, {})
        yield from (watched[one] for one in event.parameters if one in watched)
