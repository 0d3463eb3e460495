"""The product as a user runs it: results, exit codes, clear errors.

All but a wrong option and the way back is typed in this process, whose imports are done; a night,
and what comes before and after it, in processes of their own is test_first_hour.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from pipelines.config.settings import Settings
from pipelines.file_modes import is_all_own
from pipelines.monitoring.alerts import tell
from pipelines.warehouse.statuses import RunStatus
from tests.e2e import readme
from tests.e2e.shop import PROPERTY, ZONE, Shop, copied, ga4_marts, own_environment
from tests.gates.test_gates import DROPPED, corrupt, statement_of
from tests.soak.command import Ended, typed
from tests.support.webhook_server import webhook

SLUICE = str(Path(sys.executable).parent / "sluice")
CONFIG = """
home: ./home
store: {{name: "Test shop"}}
ga4: {{endpoint: "{endpoint}"}}
properties:
  - {{id: "{property_id}", name: "Test shop"}}
"""


# Root may write into read-only folders; a command that is tested for that may not.
OBEY_PERMISSIONS = """
import ctypes, os, sys
drop_from_bounding_set, may_override_permissions = 24, 1
ctypes.CDLL(None).prctl(drop_from_bounding_set, may_override_permissions, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""


def sluice(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    obedient = [sys.executable, "-c", OBEY_PERMISSIONS] if os.geteuid() == 0 else []
    return subprocess.run(
        [*obedient, SLUICE, *arguments],
        cwd=folder,
        env={**own_environment(), **environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="module")
def folder(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's folder with a `sluice.yml` that points at the emulator."""
    made = tmp_path_factory.mktemp("user")
    text = CONFIG.format(endpoint=shop.endpoint, property_id=PROPERTY)
    (made / "sluice.yml").write_text(text, encoding="utf-8")
    return made


@dataclass(frozen=True)
class Second:
    """The second night of a home: how the command ended, and what people saw then."""

    ended: Ended
    marts: dict[str, list[tuple[Any, ...]]]
    messages: list[dict[str, Any]]


@pytest.fixture(scope="module")
def second(shop: Shop, folder: Path, earlier_home: Settings) -> Iterator[Second]:
    """The first one's window is planned in unit/ingest/test_run_window.py.

    A partition was lost since, and a run that failed could not tell.
    """
    with webhook() as alerted:
        settings = copied(earlier_home, folder, alerted.address)
        alerted.answers = [404]
        tell(settings, "", RunStatus.FAILED, "The disk is full.")
        corrupt(settings.build_db, statement_of(DROPPED))
        with (folder / "sluice.yml").open("a", encoding="utf-8") as file:
            file.write(f'alerts: {{webhook: "{alerted.address}"}}\n')
        ended = typed("nightly", "--date", str(shop.window.end), "--json", folder=folder)
        assert ended.code == 0, ended.err
        yield Second(ended, ga4_marts(settings), alerted.messages)


def test_a_night_its_status_versions_and_rollback(shop: Shop, folder: Path, second: Second) -> None:
    end = shop.window.end.isoformat()
    result = json.loads(second.ended.out)
    assert (result["status"], result["start"]) == ("published", "2026-06-27")
    assert result["end"] == end

    status = json.loads(typed("status", "--json", folder=folder).out)
    assert [run["status"] for run in status["runs"]] == ["published", "published", "interrupted"]
    assert {gate["gate"]: gate["critical"] for gate in status["gates"]} == {
        "raw": 0, "staging": 0, "intermediate": 0, "marts": 0,
    }  # fmt: skip
    assert status["freshness"][0]["newest_day"] == end

    versions = json.loads(typed("versions", "--json", folder=folder).out)
    assert [version["current"] for version in versions] == [False, True]
    back = sluice(folder, "rollback")
    assert back.returncode == 0
    assert versions[0]["version"] in back.stdout
    current = (folder / "home/published/current").readlink().name
    assert current == versions[0]["version"]


def test_the_next_clean_night_heals(second: Second, published_home: Settings) -> None:
    """What was lost is there again, and the alert that could not be sent is sent."""
    assert second.marts == ga4_marts(published_home)
    (sent,) = second.messages
    assert sent["status"] == "published"
    full = f"The disk is full. {RunStatus.FAILED.readers}"
    assert full in [alert["message"] for alert in sent["alerts"]]


def test_sql_in_three_formats(published_home: Settings) -> None:
    query = (
        "select step_key, reached from marts.fct_funnel_window where funnel = 'core' "
        "and window_name = '28d' and segment_name = 'all' order by step_number"
    )
    home = str(published_home.home)
    rows = json.loads(typed("sql", query, "--format", "json", SLUICE_HOME=home).out)
    steps = ["sessions", "product_view", "add_to_cart", "checkout_start", "purchase"]
    assert [row["step_key"] for row in rows] == steps
    lines = typed("sql", query, "--format", "csv", SLUICE_HOME=home).out.splitlines()
    assert lines[1] == f"sessions,{rows[0]['reached']}"
    assert "checkout_start" in typed("sql", query, SLUICE_HOME=home).out
    written = typed("sql", "delete from marts.fct_funnel_daily", SLUICE_HOME=home)
    assert written.code == 1
    assert "read-only" in written.err


def test_the_published_files_are_what_the_manifest_says(published_home: Settings) -> None:
    current = published_home.published_dir / "current"
    manifest = json.loads((current / "manifest.json").read_text(encoding="utf-8"))
    with duckdb.connect(str(current / "sluice.duckdb"), read_only=True) as connection:
        for name, rows in manifest["rows"].items():
            assert connection.execute(f"select count(*) from {name}").fetchone() == (rows,)
        file = current / "parquet" / "fct_funnel_daily" / "*.parquet"
        both = connection.execute(
            f"select (from marts.fct_funnel_daily select count(*)), count(*) from '{file}'"
        ).fetchone()
        schemas = connection.execute("select distinct schema_name from duckdb_tables()").fetchall()
        silent = connection.execute(
            "select table_name, column_name from duckdb_columns() where comment is null "
            "and not internal union all "
            "select table_name, null from duckdb_tables() where comment is null"
        ).fetchall()
    assert both is not None
    assert both[0] == both[1] > 0
    assert sorted(schemas) == [("marts",), ("ops",)]
    assert silent == []
    assert [gate["is_passed"] for gate in manifest["gates"]] == [True] * 4


NO_KEY = "ga4: {credentials: nowhere.json}\nproperties: [{id: 1}]"
BAD = [
    ("unknown key", {"config": "homee: ./x"}, "did you mean 'home'"),
    ("credentials missing", {"config": NO_KEY}, "nowhere.json does not exist"),
    ("wrong property", {"property_id": "555"}, "555"),
    ("date in the future", {"arguments": ["--date", "2999-01-01"]}, "is not over yet"),
]


@pytest.mark.parametrize(("name", "change", "words"), BAD, ids=[case[0] for case in BAD])
def test_bad_input_is_one_sentence_and_changes_nothing(
    shop: Shop, tmp_path: Path, name: str, change: dict, words: str
) -> None:
    text = change.get("config") or CONFIG.format(
        endpoint=change.get("endpoint", shop.endpoint),
        property_id=change.get("property_id", PROPERTY),
    )
    (tmp_path / "sluice.yml").write_text(text, encoding="utf-8")
    ended = typed("nightly", *change.get("arguments", []), folder=tmp_path)
    assert ended.code == 1
    assert words in ended.err
    assert "Traceback" not in ended.err + ended.out
    assert ended.err.count("Error:") == 1
    assert not (tmp_path / "home" / "build.duckdb").exists()
    assert not (tmp_path / "home" / "published").exists()


def test_a_server_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    """Nothing is changed but the memory of it: `status` says the same as the command did."""
    text = CONFIG.format(endpoint="127.0.0.1:9", property_id=PROPERTY)
    (tmp_path / "sluice.yml").write_text(text, encoding="utf-8")
    ended = typed("nightly", folder=tmp_path)
    assert ended.code == 75
    assert "check the network" in ended.err
    assert "Traceback" not in ended.err + ended.out
    assert not (tmp_path / "home" / "published").exists()
    status = typed("status", folder=tmp_path)
    assert (status.code, status.out.split(":")[0]) == (75, "Paused")


def test_a_wrong_option_is_not_taken_for_a_held_back_night(tmp_path: Path) -> None:
    ended = sluice(tmp_path, "nightly", "--dat", "2026-01-01")
    assert ended.returncode == 64
    assert "No such option" in ended.stderr


def test_nothing_published_yet(tmp_path: Path) -> None:
    ended = typed("sql", "select 1", folder=tmp_path)
    assert ended.code == 1
    assert "run 'sluice nightly' or 'sluice demo'" in ended.err


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A home after `sluice demo` as README has it, and what the demo printed."""
    folder = tmp_path_factory.mktemp("demo")
    ended = typed("demo", folder=folder, SLUICE_HOME="home")
    assert ended.code == 0, ended.err
    return folder / "home", ended.out


def test_the_demo_prints_what_the_readme_says(demo: tuple[Path, str]) -> None:
    """On any day; `make readme` writes README's block anew."""
    assert readme.shown() == readme.printed(demo[1])
    assert "Finding (new): Purchased after Checkout started, mobile: " in readme.shown()


EXPERIMENTS = """
    select experiment_id, variant, state, exposed, numerator, macro_converted, control_exposed,
        control_numerator, control_macro_converted, difference > 0, verdict, weeks_left
    from marts.fct_experiment order by all
"""
HEALED = """
    select scope_label, since_date::varchar, recovered_date::varchar from marts.fct_finding
    where state = 'healed'
"""


def test_the_demo_s_register_is_told_as_it_was_planted(demo: tuple[Path, str]) -> None:
    """Of one experiment that helps nothing more is needed, the other one goes on; a leak that was
    repaired healed by the change.
    """
    truth = json.loads((demo[0] / "demo/events/truth.json").read_text())
    counts: dict[tuple[str, str], list[int]] = {}
    for name, _, variant, *row in truth["experiment_outcomes"]["rows"]:
        own = counts.setdefault((name, variant), [0, 0, 0])
        counts[name, variant] = [one + more for one, more in zip(own, row[:3], strict=True)]
    with duckdb.connect(str(demo[0] / "published/current/sluice.duckdb")) as connection:
        tried = connection.execute(EXPERIMENTS).fetchall()
        healed = connection.execute(HEALED).fetchall()
    assert tried == [
        (name, variant, state, *counts[name, variant], *counts[name, "control"], True, *said)
        for name, variant, state, *said in (
            ("short_form", "one_page", "ended", "ship", 0),
            ("welcome", "offer", "running", "keep running", 2),
        )
    ]
    (leak,) = (one for one in truth["leaks"] if one["name"] == "instagram_links")
    assert healed == [("Paid Social", leak["start_date"], "2026-06-22")]
    assert leak["end_date"] == "2026-06-21"
    page = (demo[0] / "published/current/report.html").read_text(encoding="utf-8")
    # None of them is near the leak that goes on.
    assert "Changed at that time" not in page
    assert "about 2 weeks" in page
    assert "It rose again after a change (22 Jun 2026, “Instagram ads lead to products" in page
    listed = json.loads(
        typed("experiment", "list", "--json", folder=demo[0], SLUICE_HOME=str(demo[0])).out
    )
    assert [(one["id"], one["verdict"], one["since_night"]) for one in listed] == [
        ("welcome", "keep running", None), ("short_form", "ship", None),
        ("instagram_links", None, None),
    ]  # fmt: skip


def test_the_demo_s_home_holds_what_is_known_to_be_in_one(demo: tuple[Path, str]) -> None:
    assert is_all_own(demo[0])


def test_everything_in_the_demo_s_home_is_of_its_own_morning(demo: tuple[Path, str]) -> None:
    """Every stamp and day of what was published, whatever day it really is."""
    with duckdb.connect(str(demo[0] / "published/current/sluice.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'")
        stamps = connection.execute(
            "select schema_name, table_name, column_name from duckdb_columns() "
            "where data_type = 'TIMESTAMP WITH TIME ZONE' order by all"
        ).fetchall()
        found = {
            (table, column): connection.execute(
                f"select distinct {column}::date::varchar from {schema}.{table} "
                f"where {column} is not null"
            ).fetchall()
            for schema, table, column in stamps
        }
        zone, days = connection.execute(
            "select any_value(time_zone), (select array[min(date), max(date)]::varchar[] "
            "from marts.fct_data_completeness) from marts.dim_property"
        ).fetchone()
    # A snapshot of Clarity is of the three days up to then.
    assert found.pop(("fct_page_friction", "window_start")) == [("2026-06-28",)]
    written = {name for name, values in found.items() if values}
    assert {found[name][0] for name in written} == {("2026-07-01",)}
    assert all(len(found[name]) == 1 for name in written)
    assert written >= {
        ("gate_results", "checked_at"), ("properties", "checked_at"), ("pulls", "pulled_at"),
        ("quota", "read_at"), ("runs", "finished_at"), ("runs", "started_at"),
    }  # fmt: skip
    assert (zone, days) == (ZONE, ["2026-04-02", "2026-06-30"])
    manifest = json.loads((demo[0] / "published/current/manifest.json").read_text())
    assert manifest["published_at"].startswith("2026-07-01T")


def test_the_demo_s_home_is_fine_on_any_day(demo: tuple[Path, str], tmp_path: Path) -> None:
    """Also 200 days after; a real property that is put into it lives in real time at once."""
    clock = demo[0] / "demo" / "clock.json"
    pin = json.loads(clock.read_text())
    for days in (0, 200):
        moved = datetime.fromisoformat(pin["pinned_at"]) - timedelta(days=days)
        clock.write_text(json.dumps({**pin, "pinned_at": moved.isoformat()}))
        state = typed("status", folder=tmp_path, SLUICE_HOME=str(demo[0]))
        assert state.code == 0, state.out
        assert state.out.startswith("Fine: the last run published, and days go up to 2026-06-30 ")
        assert "its clock stands at 2026-07-01" in state.out
    (tmp_path / "sluice.yml").write_text(f"home: {demo[0]}\nproperties: [{{id: '42'}}]\n")
    state = typed("status", folder=tmp_path)
    assert state.code == 1
    assert "the newest published day of property 100000001 is 2026-06-30" in state.out
