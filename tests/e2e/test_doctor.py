"""`sluice init` and `sluice doctor` as a user runs them, on a shop and on one with faults."""

import json
import os
import pty
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.clock import pin_clock
from pipelines.config.settings import Ga4, Settings, load_settings
from pipelines.emulator.server import serve
from pipelines.monitoring.home_lock import hold_lock
from tests.e2e.shop import PROPERTY, ZONE, Shop
from tests.e2e.test_command_line import SLUICE, sluice
from tests.soak.command import typed
from tests.support.doctor_parts import publish

FAULTY = "100000002"
# The day after the shop's last one, so that its last 28 days are the last 28 days.
NOW = datetime(2026, 7, 1, 10, tzinfo=UTC)
RENAMED = """
    copy (
        select * replace (
            case event_name
                when 'begin_checkout' then 'beginCheckout' when 'sort_apply' then 'chat_open'
                else event_name
            end as event_name
        )
        from '{source}' where event_name <> 'purchase'
    ) to '{target}'
"""


@pytest.fixture(scope="module")
def faulty_events(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop as another property: two events renamed, no purchase, page_type not registered."""
    folder = tmp_path_factory.mktemp("faulty")
    with duckdb.connect() as connection:
        for file in shop.events.glob("events_*.parquet"):
            connection.execute(RENAMED.format(source=file, target=folder / file.name))
    about = json.loads((shop.events / "property.json").read_text())
    about["property_id"] = FAULTY
    about["custom_dimensions"].remove("page_type")
    (folder / "property.json").write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="module")
def endpoint(shop: Shop, faulty_events: Path) -> Iterator[str]:
    with serve([shop.events, faulty_events], now=lambda: NOW) as server:
        yield server.endpoint


def steps(told: dict[str, Any], property_id: str | None) -> dict[str, dict[str, Any]]:
    return {
        step["name"]: step
        for block in told["blocks"]
        if block["property_id"] == property_id
        for step in block["steps"]
    }


def marks(told: dict[str, Any], property_id: str | None) -> dict[str, str]:
    return {name: step["mark"] for name, step in steps(told, property_id).items()}


@pytest.fixture(scope="module")
def folder(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where `sluice init` was run for three properties, one of which nobody may read."""
    made = tmp_path_factory.mktemp("user")
    ids = [f"--property={one}" for one in (PROPERTY, FAULTY, "555")]
    ended = typed("init", *ids, "--home", "./home", "--endpoint", endpoint, folder=made)
    assert ended.code == 0, ended.err
    assert f"property {PROPERTY}: its days are those of {ZONE}" in ended.out
    assert "GA4 told no time zone: GA4 refuses property 555" in ended.err
    assert "sluice doctor" in ended.out
    return made


@pytest.fixture(scope="module")
def told(folder: Path) -> dict[str, Any]:
    ended = typed("doctor", "--json", folder=folder)
    assert ended.code == 1
    assert ended.err == ""
    return json.loads(ended.out)


def test_init_wrote_what_ga4_told(folder: Path) -> None:
    text = (folder / "sluice.yml").read_text()
    assert f'{{id: "{PROPERTY}", name: "", time_zone: "{ZONE}"}}' in text
    assert '{id: "555", name: ""}' in text


def test_init_does_not_replace_a_file_unasked(folder: Path) -> None:
    before = (folder / "sluice.yml").read_text()
    ended = typed("init", "--property", "1", folder=folder)
    assert ended.code == 1
    assert "--force" in ended.err
    assert (folder / "sluice.yml").read_text() == before


def test_init_without_a_terminal_asks_nothing(tmp_path: Path) -> None:
    ended = typed("init", folder=tmp_path)
    assert ended.code == 1
    assert "sluice init --property 123456789" in ended.err
    assert list(tmp_path.iterdir()) == []


def test_init_writes_the_file_also_when_nobody_answers(tmp_path: Path) -> None:
    ended = typed("init", "--property", "42", "--credentials", "absent.json", folder=tmp_path)
    assert ended.code == 0
    assert "absent.json does not exist" in ended.err
    assert 'credentials: "absent.json"' in (tmp_path / "sluice.yml").read_text()


def test_a_shop_in_good_health(told: dict[str, Any]) -> None:
    found = steps(told, PROPERTY)
    assert set(marks(told, PROPERTY).values()) == {"right"}
    assert found["property"]["facts"]["time_zone"] == ZONE
    assert found["property"]["facts"]["sessions"] > 28 * 100
    assert found["tracking"]["facts"]["missing"] == []
    assert found["quota"]["facts"]["remaining"]["tokens_per_day"] > 199_000


def test_a_shop_with_faults(told: dict[str, Any]) -> None:
    found = steps(told, FAULTY)
    assert marks(told, FAULTY) == {
        "property": "right",
        "fields": "right",
        "custom dimensions": "wrong",
        "tracking": "wrong",
        "quota": "right",
    }
    assert found["custom dimensions"]["facts"]["missing"] == ["page_type"]
    facts = found["tracking"]["facts"]
    assert facts["missing"] == ["checkout_start", "purchase"]
    assert set(facts["unknown_events"]) == {"beginCheckout", "chat_open"}
    assert facts["aliases"] == [
        {"event": "beginCheckout", "looks_like": "begin_checkout", "keys": ["checkout_start"]}
    ]


def test_a_property_that_nobody_may_read(told: dict[str, Any]) -> None:
    found = marks(told, "555")
    assert found.pop("property") == "wrong"
    assert set(found.values()) == {"not_checked"}
    assert "Viewer" in steps(told, "555")["property"]["message"]


def test_the_machine_before_the_first_night(told: dict[str, Any]) -> None:
    assert marks(told, None) == {
        "settings": "right",
        "tracking plan": "right",
        "credentials": "right",
        "disk": "right",
        "build database": "not_checked",
        "schedule": "not_checked",
    }
    assert "run 'sluice nightly'" in steps(told, None)["schedule"]["message"]


def test_a_doctor_looks_on_while_a_run_is_going_on(folder: Path) -> None:
    """A run holds the lock and has the build database open; nothing in the home changes."""
    home = folder / "home"
    with hold_lock(home / "run.lock"), duckdb.connect(str(home / "build.duckdb")) as connection:
        connection.execute("create or replace table t as select 1")
        before = {path: path.stat().st_mtime_ns for path in home.rglob("*")}
        ended = sluice(folder, "doctor")
        assert {path: path.stat().st_mtime_ns for path in home.rglob("*")} == before
    assert ended.returncode == 1
    assert ended.stderr == ""
    assert "Property 555" in ended.stdout
    line = "checkout_start: {event_names: [begin_checkout, beginCheckout]}"
    assert f"put '{line}' under micro_conversions" in " ".join(ended.stdout.split())
    assert "not in the plan: chat_open" in ended.stdout
    assert "3 things to put right" in ended.stdout


def test_settings_that_cannot_be_read_are_a_step(tmp_path: Path) -> None:
    (tmp_path / "sluice.yml").write_text("homee: ./x\n")
    ended = typed("doctor", "--json", folder=tmp_path)
    assert ended.code == 1
    found = steps(json.loads(ended.out), None)
    assert "did you mean 'home'" in found["settings"]["message"]
    assert found["disk"]["mark"] == "not_checked"


def test_nothing_wrong_ends_well(endpoint: str, tmp_path: Path) -> None:
    pin_clock(tmp_path / "home", NOW, [PROPERTY])
    publish(Settings(home=tmp_path / "home"), ("nightly", "published", NOW - timedelta(hours=6)))
    init = ["--property", PROPERTY, "--home", "home", "--endpoint", endpoint]
    assert typed("init", *init, folder=tmp_path).code == 0
    ended = typed("doctor", folder=tmp_path)
    assert ended.code == 0, ended.out
    assert "✘" not in ended.out
    assert "– schedule" not in ended.out
    assert "Nothing is wrong." in ended.out


def test_init_asks_on_a_terminal(endpoint: str, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{PROPERTY}, {FAULTY}\nWool & Co\n\n./there\nfashion\nGermany\n".encode())
    ended = subprocess.run(
        [SLUICE, "init"],
        cwd=tmp_path,
        env={**os.environ, "SLUICE_GA4_ENDPOINT": endpoint},
        stdin=theirs,
        capture_output=True,
        text=True,
        check=False,
        # A question more than there are answers would be waited at for ever.
        timeout=120,
    )
    os.close(theirs)
    os.close(ours)
    assert ended.returncode == 0, ended.stderr
    settings = load_settings(tmp_path / "sluice.yml")
    assert [(one.id, one.time_zone) for one in settings.properties] == [
        (PROPERTY, ZONE), (FAULTY, ZONE),
    ]  # fmt: skip
    assert settings.home == tmp_path / "there"
    store = settings.store
    assert (store.name, store.industry, store.region) == ("Wool & Co", "fashion", "Germany")
    assert settings.ga4 == Ga4()
