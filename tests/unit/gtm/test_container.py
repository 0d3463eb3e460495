"""The container as Tag Manager takes it."""

import json
from bisect import bisect_right
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from pipelines.config.tracking_plan import TriggerKind, load_plan
from pipelines.errors import ConfigError
from pipelines.gtm.container import MOST_BYTES, build_container, refuse_other_file, to_json
from pipelines.gtm.events import Coverage, Selection, SentEvent, select_events, whole_plan
from tests.unit.gtm.tag_manager import File
from tests.unit.gtm.test_events import TRIGGERS, plan_with

PLAN = load_plan()
ID = "G-8KQ2PD9VBN"
WHOLE = select_events(PLAN, whole_plan(PLAN))


def built(selection: Selection) -> dict[str, Any]:
    """What is read back of the file; it is one that Tag Manager takes."""
    container = json.loads(to_json(build_container(selection, ID)))
    File.model_validate(container)
    return dict(container["containerVersion"])


def values(entity: dict[str, Any]) -> dict[str, Any]:
    """A tag's or trigger's parameters; of a table its rows."""
    found: dict[str, Any] = {}
    for one in entity["parameter"]:
        rows = [{cell["key"]: cell["value"] for cell in row["map"]} for row in one.get("list", ())]
        table = {row["parameter"]: row["parameterValue"] for row in rows}
        found[one["key"]] = table if one["type"] == "LIST" else one.get("value")
    return found


def named(layer: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (found,) = [one for one in layer if one["name"] == name]
    return found


def test_a_container_of_the_whole_plan() -> None:
    version = built(WHOLE)
    google, *events = version["tag"]
    assert [values(tag)["eventName"] for tag in events] == [one.name for one in WHOLE.events]
    assert (google["type"], google["firingTriggerId"]) == ("googtag", ["2147479573"])
    assert values(google) == {
        "tagId": "{{sluice - GA4 measurement ID}}",
        "eventSettingsTable": {"page_type": "{{sluice - page_type}}"},
    }
    for tag, trigger in zip(events, version["trigger"], strict=True):
        (fired,) = trigger["customEventFilter"]
        assert fired["parameter"][0]["value"] == "{{_event}}"
        assert fired["parameter"][1]["value"] == values(tag)["eventName"]
        assert tag["firingTriggerId"] == [trigger["triggerId"]]
    # Of all texts only one is the id.
    assert to_json(build_container(WHOLE, ID)).count(ID) == 1
    assert values(version["variable"][0]) == {"value": ID}
    layers = ("tag", "trigger", "variable", "folder")
    assert all(one["name"].startswith("sluice - ") for name in layers for one in version[name])


def test_where_a_tag_takes_its_parameters_from() -> None:
    version = built(WHOLE)
    payment = values(named(version["tag"], "sluice - add_payment_info (event)"))
    assert payment == {
        "sendEcommerceData": "true",
        "getEcommerceDataFrom": "dataLayer",
        "enhancedUserId": "false",
        "eventSettingsTable": {"payment_type": "{{sluice - ecommerce.payment_type}}"},
        "eventName": "add_payment_info",
        "measurementIdOverride": "{{sluice - GA4 measurement ID}}",
    }
    scroll = values(named(version["tag"], "sluice - scroll_depth (event)"))
    assert scroll["sendEcommerceData"] == "false"
    assert scroll["eventSettingsTable"] == {
        "page_type": "{{sluice - page_type}}",
        "percent_scrolled": "{{sluice - percent_scrolled}}",
    }
    pushed = named(version["variable"], "sluice - ecommerce.payment_type")
    assert values(pushed) == {
        "dataLayerVersion": "2", "setDefaultValue": "false", "name": "ecommerce.payment_type",
    }  # fmt: skip
    assert version["builtInVariable"] == []


def test_a_shop_whose_page_views_arrive_gets_no_second_ones() -> None:
    coverage = Coverage(frozenset({"checkout_start"}), frozenset({"home_view"}))
    google, event = built(select_events(PLAN, coverage))["tag"]
    # Merged over an earlier file, it leaves the tag alone that sends them.
    assert google["name"] not in {one["name"] for one in built(WHOLE)["tag"]}
    assert values(google) == {
        "tagId": "{{sluice - GA4 measurement ID}}",
        "configSettingsTable": {"send_page_view": "false"},
    }
    assert values(event)["eventName"] == "begin_checkout"


def test_every_kind_of_trigger(tmp_path: Path) -> None:
    plan = plan_with(tmp_path, TRIGGERS)
    version = built(select_events(plan, whole_plan(plan)))
    triggers = version["trigger"]
    assert {one["type"] for one in triggers} == {
        "CUSTOM_EVENT", "CLICK", "LINK_CLICK", "ELEMENT_VISIBILITY", "SCROLL_DEPTH",
        "YOU_TUBE_VIDEO",
    }  # fmt: skip

    def clicked(name: str) -> list[tuple[str, str, str]]:
        filters = named(triggers, name)["filter"]
        return [(one["type"], *(side["value"] for side in one["parameter"])) for one in filters]

    assert clicked("sluice - image_gallery_interaction (click)") == [
        ("CSS_SELECTOR", "{{Click Element}}", ":is(.zoom, .pinch), :is(.zoom, .pinch) *")
    ]
    assert clicked("sluice - navigation_click (link click)") == [
        ("CSS_SELECTOR", "{{Click Element}}", "nav a, nav a *")
    ]
    reviews = values(named(triggers, "sluice - review_section_view (visible)"))
    assert (reviews["elementSelector"], reviews["selectorType"]) == ("#reviews", "CSS")
    scroll = values(named(triggers, "sluice - scroll_depth (scroll)"))
    assert scroll["verticalThresholdsPercent"] == "25,40,50,75,90"
    # Tag Manager itself knows how far a page was scrolled.
    tag = values(named(version["tag"], "sluice - scroll_depth (scroll)"))
    assert tag["eventSettingsTable"] == {
        "page_type": "{{sluice - page_type}}",
        "percent_scrolled": "{{Scroll Depth Threshold}}",
    }
    assert [one["type"] for one in version["builtInVariable"]] == [
        "CLICK_ELEMENT", "SCROLL_DEPTH_THRESHOLD",
    ]  # fmt: skip


def test_parameters_of_a_click_and_a_video_that_tag_manager_knows() -> None:
    events = (
        SentEvent(
            "download", TriggerKind.LINK_CLICK, ("a",), ("link_url", "file"), ("a[download]",)
        ),
        SentEvent("download", TriggerKind.CLICK, ("a",), ("link_text",), (".get",)),
        SentEvent("watch", TriggerKind.VIDEO, ("b",), ("video_title", "link_url")),
    )
    version = built(Selection(events, has_page_views=False))
    tables = [values(tag)["eventSettingsTable"] for tag in version["tag"][1:]]
    assert tables == [
        {"link_url": "{{Click URL}}", "file": "{{sluice - file}}"},
        {"link_text": "{{Click Text}}"},
        {"video_title": "{{Video Title}}", "link_url": "{{sluice - link_url}}"},
    ]
    assert [one["name"] for one in version["builtInVariable"]] == [
        "Click Element", "Click Text", "Click URL", "Video Title",
    ]  # fmt: skip


def test_the_same_again_is_the_same_to_the_byte() -> None:
    plan = load_plan()
    again = to_json(build_container(select_events(plan, whole_plan(plan)), ID))
    assert again == to_json(build_container(WHOLE, ID))


def test_more_than_tag_manager_publishes_is_refused() -> None:
    """Some 200 events fit, six times the plan."""
    event = WHOLE.events[1]
    events = tuple(replace(event, name=f"event_{number:04}") for number in range(400))

    def size(number: int) -> int:
        return len(json.dumps(build_container(Selection(events[:number], False), ID)))

    # Blanks count here, and not there.
    fits = bisect_right(range(400), MOST_BYTES, key=size) - 1
    assert fits > 6 * len(WHOLE.events)
    built(Selection(events[:fits], False))
    with pytest.raises(ConfigError) as caught:
        to_json(build_container(Selection(events, False), ID))
    assert "bytes, and Tag Manager publishes none above 200,000: leave --all out" in str(
        caught.value
    )


@pytest.mark.parametrize("name", ["container.zip", "container", "container.json.zip", ".json"])
def test_another_file_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"^--out .* does not end with \.json"):
        refuse_other_file(Path(name))
    refuse_other_file(Path("folder.d/container.json"))


def test_only_a_container_of_sluice_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "GTM-ABC_workspace.json"
    path.write_text('{"exportFormatVersion": 2}')
    with pytest.raises(ConfigError) as caught:
        refuse_other_file(path)
    assert str(caught.value) == (
        f"--out {path} is there already and is no container of Sluice's: name another file, or "
        "move it away."
    )
    for text in ("", to_json(build_container(WHOLE, ID))):
        path.write_text(text)
        refuse_other_file(path)


def broken(change: str) -> dict[str, Any]:
    """The whole plan's container after one thing was changed."""
    container = build_container(WHOLE, ID)
    version = container["containerVersion"]
    changes = {
        "trigger": version["trigger"].pop,
        "folder": version["folder"].clear,
        "variable": version["variable"].pop,
        "unused": lambda: version["builtInVariable"].append(
            {"accountId": "1", "containerId": "1", "type": "EVENT", "name": "Event"}
        ),
        "name": lambda: version["tag"][1].update(name=version["tag"][2]["name"]),
        "id": lambda: version["tag"][1].update(tagId=version["tag"][2]["tagId"]),
        "key": lambda: version["tag"][1].update(eventName="x"),
        "case": lambda: version["trigger"][0].update(type="customEvent"),
        "value": lambda: version["tag"][1]["parameter"][0].update(value=True),
        "number": lambda: container.update(exportFormatVersion="2"),
    }
    changes[change]()
    return container


@pytest.mark.parametrize(
    "change",
    ["trigger", "folder", "variable", "unused", "name", "id", "key", "case", "value", "number"],
)
def test_what_tag_manager_would_not_take_is_seen(change: str) -> None:
    """The model that the other tests judge by is one that says no."""
    with pytest.raises(ValidationError):
        File.model_validate(broken(change))
