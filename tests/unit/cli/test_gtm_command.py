"""`sluice gtm`: the file, what is said of it, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.support.reading import fail, run
from tests.unit.gtm.tag_manager import File

ID = ("--measurement-id", "G-8KQ2PD9VBN")
DAY = "2026-03-02"
SILENT = "Google tag (no page views)"
Published = Callable[..., None]


@pytest.fixture
def covered(home: Path) -> Published:
    """A published file of properties with what their keys are: (key, state, events of 28 days)."""

    def publish(**properties: list[tuple[str, str, int]]) -> None:
        current = home / "published" / "current"
        current.mkdir(parents=True)
        with duckdb.connect(str(current / "sluice.duckdb")) as build:
            build.execute("create schema marts; create table marts.dim_property (property_id text)")
            build.execute(
                "create table marts.fct_tracking_coverage (property_id text, key text, "
                "tracking_state text, events_28d bigint, last_seen_date date, as_of_date date)"
            )
            for property_id, keys in properties.items():
                name = property_id.removeprefix("p")
                build.execute("insert into marts.dim_property values (?)", [name])
                for key, state, events in keys:
                    build.execute(
                        "insert into marts.fct_tracking_coverage values (?, ?, ?, ?, null, ?)",
                        [name, key, state, events, DAY],
                    )

    return publish


def written(path: Path) -> list[str]:
    """The names of the tags of a file that Tag Manager takes."""
    content = json.loads(path.read_text(encoding="utf-8"))
    File.model_validate(content)
    return [tag["name"].removeprefix("sluice - ") for tag in content["containerVersion"]["tag"]]


SHOP = [
    ("home_view", "tracked", 90), ("checkout_start", "not_tracked", 0),
    ("gallery", "unknown_low_volume", 0), ("wishlist", "not_applicable", 0),
    ("home_scroll_fold", "not_tracked", 0), ("product_scroll_50", "tracked", 9),
]  # fmt: skip


def test_what_the_published_shop_lacks(covered: Published, tmp_path: Path) -> None:
    covered(p42=SHOP)
    result = run("gtm", *ID)
    assert result.exit_code == 0, result.output
    assert written(tmp_path / "sluice-gtm.json") == [SILENT, "begin_checkout (event)"]
    lines = result.output.splitlines()
    assert [line.split() for line in lines if "begin_checkout" in line] == [
        ["begin_checkout", "a", "push", "to", "the", "data", "layer", "checkout", "start"]
    ]
    assert lines[-3:] == [
        "Not in it: home scroll fold. scroll_depth or scroll comes already, but never with "
        "page_type=home: send that along with it.",
        "Too few sessions to tell of gallery: --all takes them, too.",
        f"{tmp_path / 'sluice-gtm.json'}: 1 event tag and a Google tag. In Tag Manager: Admin > "
        "Import Container > Merge > Rename (docs/tracking.md).",
    ]


def test_as_json_and_again_to_the_byte(covered: Published, tmp_path: Path) -> None:
    covered(p42=SHOP)
    to = tmp_path / "there" / "container.json"
    result = run("gtm", *ID, "--out", str(to), "--json")
    assert json.loads(result.stdout) == {
        "file": str(to),
        "events": [{"event": "begin_checkout", "sent_on": "event", "keys": ["checkout_start"]}],
        "keys_of_the_google_tag": [],
        "left_out": {
            "home_scroll_fold": "scroll_depth or scroll comes already, but never with "
            "page_type=home: send that along with it"
        },
        "undecided": ["gallery"],
    }
    before = to.read_bytes()
    run("gtm", *ID, "--out", str(to))
    assert to.read_bytes() == before
    assert [path.name for path in to.parent.iterdir()] == ["container.json"]


def test_nothing_is_written_where_nothing_is_missing(covered: Published, tmp_path: Path) -> None:
    covered(p42=[("home_view", "tracked", 9)])
    result = run("gtm", *ID)
    assert (result.exit_code, result.output) == (
        0, "GA4 gets every event that a container could bring: nothing is written.\n",
    )  # fmt: skip
    assert not (tmp_path / "sluice-gtm.json").exists()
    assert json.loads(run("gtm", *ID, "--json").stdout)["file"] is None


def test_the_whole_plan_needs_nothing_published(home: Path, tmp_path: Path) -> None:
    plan = "micro_conversions: {gallery: {trigger: {kind: click, selector: .zoom}}}"
    (tmp_path / "tracking_plan.yml").write_text(plan, encoding="utf-8")
    result = run("gtm", *ID, "--all", "--out", "all.json")
    assert result.exit_code == 0, result.output
    names = written(tmp_path / "all.json")
    assert names[0] == "Google tag"
    assert "image_gallery_interaction (click)" in names
    assert len(names) == 33
    assert "every page, by the Google tag" in result.output
    assert not home.exists()


def test_one_of_several_properties(covered: Published, tmp_path: Path, monkeypatch, capsys) -> None:
    covered(p42=SHOP, p43=[("purchase", "not_tracked", 0), ("home_view", "tracked", 1)])
    assert run("gtm", *ID, "--property", "43").exit_code == 0
    assert written(tmp_path / "sluice-gtm.json") == [SILENT, "purchase (event)"]
    for arguments, words in (
        ((), "Several properties are published: give --property 42, say."),
        (("--property", "44"), "There is no property '44'; did you mean 43?"),
    ):
        code, text = fail(monkeypatch, capsys, "gtm", *ID, *arguments)
        assert (code, text) == (1, f"Error: {words}\n")


def test_what_is_refused_leaves_no_file(home: Path, tmp_path: Path, monkeypatch, capsys) -> None:
    (tmp_path / "taken.json").mkdir()
    for arguments, words in (
        (("--measurement-id", "GTM-5NR8K7Q"), "is the id of a Tag Manager container: give that"),
        (("--measurement-id", "G-XXXXXXXXXX", "--all"), "is a placeholder: give that"),
        ((*ID, "--all", "--out", "sluice.zip"), "--out sluice.zip does not end with .json"),
        ((*ID, "--all", "--out", "taken.json"), "taken.json could not be written (Is a directory)"),
        ((*ID, "--all", "--property", "42"), "leave it or --property out."),
        (ID, "Nothing is published in"),
    ):
        code, text = fail(monkeypatch, capsys, "gtm", *arguments)
        assert (code, text.count("\n")) == (1, 1)
        assert words in text
    code, text = fail(monkeypatch, capsys, "gtm", "--all")
    assert (code, text) == (
        64, "Error: Missing option '--measurement-id'. See 'sluice gtm --help'.\n",
    )  # fmt: skip
    assert [path.name for path in tmp_path.rglob("*")] == ["taken.json"]
