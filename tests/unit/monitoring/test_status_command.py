"""`sluice status`: the word, the sentence with what to do, the exit code, and the detail."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.cli.common import WIDTH_WITHOUT_TERMINAL, out
from pipelines.clock import FULL_SPEED, pin_clock
from pipelines.monitoring.home_lock import hold_lock
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.runs import finish_run, start_run
from pipelines.warehouse.statuses import RunStatus
from tests.support.hand_clock import MORNING
from tests.support.reading import publish_again, run
from tests.support.verdict_marts import make_verdict_marts

# The night after the one of the fixtures.
LATER = MORNING + timedelta(days=1)


FINDINGS = (
    "('42', 'a', 1, 'Less [ordered].', 'Worth 2.', 'new', 0.99, null), "
    "('42', 'b', 2, 'Less viewed.', 'Worth 1.', 'known', 0.9, null), "
    "('42', 'c', 3, 'Added again.', 'Worth 9.', 'healed', 0.4, null)"
)


@pytest.mark.usefixtures("home")
def test_status_before_the_first_night():
    result = run("status", "--json")
    state = json.loads(result.stdout)
    assert (result.exit_code, state["state"], state["exit_code"]) == (1, "never_run", 1)
    assert "nothing has run here yet. Run 'sluice nightly'" in state["verdict"]
    assert (state["current_version"], state["runs"], state["is_running"]) == (None, [], False)
    assert run("versions").stdout.startswith("Nothing is published yet")


def test_status_says_when_nothing_new_came_for_days(published):
    # A night publishes yesterday, and zones far to the west a day later: on the third day it lacks.
    pin_clock(published, datetime(2026, 3, 4, 23, 59, tzinfo=UTC) - FULL_SPEED, ["42"])
    assert run("status").exit_code == 0
    pin_clock(published, datetime(2026, 3, 5, tzinfo=UTC), ["42"])
    result = run("status")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        "Stale: the newest published day of property 42 is 2026-03-02. Run 'sluice nightly'"
    )


def test_what_second_sources_said_last(published):
    pin_clock(published, MORNING, ["42"])
    assert json.loads(run("status", "--json").stdout)["sources"] == []
    rows = [
        ("r0", "clarity", "clarity_page", "failed", "Of a night before.", 1),
        ("r1", "clarity", "clarity_page", "left_out", "", 2),
        ("r1", "shopify", "shopify_sales", "failed", "No [token]: set it.", 2),
        ("r1", "shopify", "shopify_sessions", "failed", "No [token]: set it.", 2),
        ("r1", "heatmaps", "heatmap_click", "loaded", "a.csv is empty: fill it.", 2),
        ("r1", "heatmaps", "heatmap_scroll", "loaded", "", 2),
    ]
    with build_database(published / "build.duckdb") as build:
        build.executemany(
            "insert into ops.fetches (run_id, property_id, source, table_name, status, message, "
            "fetched_at) select $1, '42', $2, $3, $4, $5, "
            "timestamptz '2026-03-04 04:00:00+00' + to_hours($6)",
            rows,
        )
    assert json.loads(run("status", "--json").stdout)["sources"] == [
        {"source": "shopify", "property_id": "42", "status": "failed",
         "message": "No [token]: set it.", "tables": ["shopify_sales", "shopify_sessions"]},
        {"source": "heatmaps", "property_id": "42", "status": "loaded",
         "message": "a.csv is empty: fill it.", "tables": ["heatmap_click"]},
    ]  # fmt: skip
    said = run("status").stdout
    assert "Shopify of property 42: No [token]: set it.\nHeatmaps of property 42: a.csv is" in said
    # A home of older code has no such table yet.
    with build_database(published / "build.duckdb", read_only=False) as build:
        build.execute("drop table ops.fetches")
    assert json.loads(run("status", "--json").stdout)["sources"] == []


def test_status_after_a_good_and_a_bad_night(published):
    pin_clock(published, MORNING, ["42"])
    result = run("status", "--json")
    state = json.loads(result.stdout)
    assert (result.exit_code, state["state"]) == (0, "fine")
    assert state["verdict"].startswith("the last run published, and days go up to 2026-03-02 ")
    # The other day was never pulled: it lacks its numbers, and no night will bring them.
    assert state["freshness"] == [
        {"property_id": "42", "newest_day": "2026-03-02", "provisional_since": "2026-03-02",
         "provisional_days": 1, "incomplete_days": 1}
    ]  # fmt: skip
    build_db = published / "build.duckdb"
    with build_database(build_db) as build:
        start_run(build, "r2", "nightly", date(2026, 3, 2), date(2026, 3, 3), "0.1.0", LATER)
        # A night that fails at once may end, and be tried again, in the same second.
        for run_id, second in (("r1", "05.1"), ("r2", "05.9")):
            moment = f"2026-03-04 04:30:{second}+00"
            build.execute("update ops.runs set started_at = ? where run_id = ?", [moment, run_id])
    state = json.loads(run("status", "--json").stdout)
    assert (state["state"], state["runs"][0]["status"]) == ("interrupted", "interrupted")
    finish_run(build_db, "r2", RunStatus.FAILED, "It's the disk.", LATER)
    state = json.loads(run("status", "--json").stdout)
    assert state["state"] == "failed"
    assert state["verdict"] == (
        f"It's the disk. Readers see version {state['current_version']}. "
        "When that is put right, run 'sluice nightly' again."
    )
    assert [one["run_id"] for one in state["runs"]] == ["r2", "r1"]
    text = run("status").stdout
    assert "Last runs" in text
    assert "Newest published days" in text
    assert "Provisional days may still change" in text


def test_status_names_days_that_no_night_pulls_again(published):
    """Pulled while they grew, then weeks without a night: of 35 days the first is 27 January."""
    pin_clock(published, MORNING, ["42"])
    assert "no night reaches back" not in run("status").stdout
    with build_database(published / "build.duckdb") as build:
        for day in ("2026-01-26", "2026-01-27"):
            build.execute("delete from marts.fct_data_completeness where date < '2026-03-02'")
            build.execute(
                "insert into marts.fct_data_completeness "
                "values ('42', 'provisional', ?, true, true)",
                [day],
            )
            publish_again(published)
            assert ("--start 2026-01-26 --end 2026-01-26'" in run("status").stdout) == (
                day == "2026-01-26"
            )


def test_status_tells_moments_and_quota_in_the_property_s_zone_and_in_words(published, monkeypatch):
    # Wide enough that no column is folded, however long the paths in the others are.
    monkeypatch.setattr("pipelines.cli.common.out._width", 300)
    shop = '[{"id": "42", "time_zone": "America/Los_Angeles"}]'
    monkeypatch.setenv("SLUICE_PROPERTIES", shop)
    with build_database(published / "build.duckdb") as build:
        build.execute(
            "insert into ops.quota values "
            "('42', timestamptz '2026-03-04 05:10:00+00', 'core_tokens_per_hour', 8, 39992), "
            "('42', timestamptz '2026-03-04 05:10:00+00', 'core_concurrent_requests', 1, 0)"
        )
    text = run("status").stdout
    assert "Last runs (times of America/Los_Angeles)" in text
    assert "2026-03-03 20:30" in text
    lines = [line.split() for line in text.splitlines() if "reports: " in line]
    assert [" ".join(line) for line in lines] == [
        "42 reports: requests at once 0 2026-03-03 21:10",
        "42 reports: tokens of the hour 39,992 2026-03-03 21:10",
    ]
    assert "consumed" not in text


def test_a_long_message_leaves_room_for_the_run(published, monkeypatch):
    monkeypatch.setattr(out, "width", WIDTH_WITHOUT_TERMINAL)
    build_db = published / "build.duckdb"
    with build_database(build_db) as build:
        start_run(build, "r2", "nightly", date(2026, 3, 1), date(2026, 3, 2), "0.1.0", LATER)
    finish_run(build_db, "r2", RunStatus.FAILED, "The step fails. " * 30, LATER)
    (line,) = [one for one in run("status").stdout.splitlines() if one.strip().startswith("r2 ")]
    assert "nightly   2026-03-01 to 2026-03-02   failed" in line
    assert line.rstrip().endswith("…")


def test_status_shows_a_message_as_it_is(published):
    build_db = published / "build.duckdb"
    with build_database(build_db) as build:
        start_run(build, "r1", "nightly", date(2026, 3, 1), date(2026, 3, 2), "0.1.0", LATER)
    finish_run(build_db, "r1", RunStatus.FAILED, "No column [size] in [/data].", LATER)
    result = run("status")
    assert result.exit_code == 1
    assert "No column [size] in [/data]." in result.stdout


def test_status_during_a_run_leaves_the_build_database_to_it(published, monkeypatch):
    """DuckDB takes one writer or some readers: a look at it would make the run's next step fail."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the build database was opened beside a run")

    monkeypatch.setattr("pipelines.monitoring.status.build_database", refuse)
    with hold_lock(published / "run.lock"):
        state = json.loads(run("status", "--json").stdout)
    assert state["is_running"]
    assert (state["state"], state["exit_code"]) == ("running", 0)
    assert state["verdict"].startswith("a run is going on; readers see version ")
    assert [one["run_id"] for one in state["runs"]] == ["r1"]


ENDINGS = [
    ("nightly", RunStatus.HELD_BACK, "The raw gate held the night back.", 2,
     ["Held back: The raw gate held", "Readers see version", ". The next night tries again."]),
    ("nightly", RunStatus.PARTLY_PUBLISHED,
     "Version v was published, but property 7 was held back: no.", 2,
     ["Held back: Version v was", "The next night tries that property again."]),
    ("backfill", RunStatus.PAUSED, "The hour's tokens are used up.", 75,
     ["Paused: The hour's", "'sluice backfill' over the same days goes on where it was."]),
    ("nightly --full-refresh", RunStatus.FAILED, "It's the disk.", 1,
     ["Failed: It's the disk.", "run 'sluice nightly --full-refresh' again."]),
    ("schedule", RunStatus.FAILED, "No.", 1,
     ["Failed: No. Readers see version", "When that is put right, run 'sluice nightly' again."]),
    ("schedule", RunStatus.OUTDATED, "Run 'sluice nightly --full-refresh'.", 1,
     ["Failed: Run 'sluice nightly --full-refresh'. Readers see version"]),
]  # fmt: skip


@pytest.mark.parametrize(("command", "ended", "message", "code", "words"), ENDINGS)
def test_the_first_line_says_how_it_ended_and_what_to_do(
    published, command, ended, message, code, words
):
    with build_database(published / "build.duckdb") as build:
        start_run(build, "r2", command, date(2026, 3, 1), date(2026, 3, 2), "0.1.0", LATER)
    finish_run(published / "build.duckdb", "r2", ended, message, LATER)
    result = run("status")
    first = result.stdout.splitlines()[0]
    assert result.exit_code == code
    for word in words:
        assert word in first
    assert ("When that is put right" in first) is (ended is RunStatus.FAILED)


def test_what_readers_see_was_found_stands_under_how_the_night_ended(published):
    pin_clock(published, MORNING, ["42"])
    build_db = published / "build.duckdb"
    with build_database(build_db) as build:
        make_verdict_marts(build, FINDINGS, "within")
    # Nothing of what is not published; a version of older code knows no findings.
    assert json.loads(run("status", "--json").stdout)["findings"] == []
    publish_again(published)
    found = [
        "Finding (new, 42): Less [ordered]. 1 more finding.",
        "Outlet: No step that can be judged is likely to be below its benchmark.",
    ]
    first, *lines = run("status").stdout.splitlines()
    assert first.startswith("Fine: ")
    assert lines[:2] == found
    with build_database(build_db) as build:
        build.execute("delete from marts.fct_finding")
        start_run(build, "r2", "nightly", date(2026, 3, 2), date(2026, 3, 3), "0.1.0", LATER)
    finish_run(build_db, "r2", RunStatus.HELD_BACK, "The marts gate held it back.", LATER)
    first, *lines = run("status").stdout.splitlines()
    assert first.startswith("Held back: The marts gate held it back.")
    assert lines[:2] == found


def test_the_checks_that_held_a_night_back_are_shown(published):
    with build_database(published / "build.duckdb") as build:
        start_run(build, "r2", "nightly", date(2026, 3, 1), date(2026, 3, 2), "0.1.0", LATER)
        build.execute(
            "insert into ops.gate_results (run_id, gate, property_id, table_name, expectation, "
            "severity, is_success, observed) values "
            "('r2', 'raw', '42', 'raw.ga4_items', 'no_duplicates', 'critical', false, '3'), "
            "('r2', 'raw', '42', 'raw.ga4_items', 'volume', 'warning', false, '9'), "
            "('r1', 'raw', '42', 'raw.ga4_items', 'older', 'critical', false, '1')"
        )
    finish_run(
        published / "build.duckdb",
        "r2",
        RunStatus.HELD_BACK,
        "The raw gate held the night back.",
        LATER,
    )
    failures = json.loads(run("status", "--json").stdout)["failures"]
    assert [(one["expectation"], one["observed"]) for one in failures] == [("no_duplicates", "3")]
    shown = run("status").stdout
    assert "Look at the failed checks below; the next night tries again." in shown
    assert "no_duplicates" in shown


def test_warnings_are_named_with_their_days(published):
    with build_database(published / "build.duckdb") as build:
        build.execute(
            "insert into ops.gate_results (run_id, gate, property_id, table_name, expectation, "
            "severity, is_success, observed, sample) values "
            "('r1', 'raw', '42', 'raw.ga4_items', 'is_not_sampled', 'warning', false, '1', '[]'), "
            "('r1', 'raw', '42', 'raw.ga4_items', 'fine', 'warning', true, '0', '[]'), "
            "('r1', 'raw', '42', 'raw.ga4_items', 'volume', 'warning', false, '9', "
            """ '[{"date": "2026-03-01"}, {"date": "2026-03-02"}]')"""
        )
    warnings = json.loads(run("status", "--json").stdout)["warnings"]
    assert [(one["expectation"], one["days"]) for one in warnings] == [
        ("volume", "2026-03-01, 2026-03-02"), ("is_not_sampled", ""),
    ]  # fmt: skip
    assert "Warnings of the last run" in run("status").stdout


def test_status_when_the_link_to_the_version_is_gone(published):
    (published / "published" / "current").unlink()
    state = json.loads(run("status", "--json").stdout)
    assert (state["state"], state["current_version"]) == ("stale", None)
    assert f"run 'sluice rollback {state['newest_version']}'" in state["verdict"]


def test_status_after_a_rollback_names_both_versions(published):
    pin_clock(published, MORNING, ["42"])
    second = publish_again(published)
    run("rollback")
    state = json.loads(run("status", "--json").stdout)
    assert (state["state"], state["newest_version"]) == ("fine", second)
    assert f"since a rollback readers see version {state['current_version']}" in state["verdict"]


def damage_header(path):
    path.write_bytes(b"no database" * 1_000)


def damage_blocks(path):
    whole = path.read_bytes()
    path.write_bytes(whole[:12_288] + b"?" * (len(whole) - 12_288))


def replace_by_folder(path):
    path.unlink()
    path.mkdir()


DAMAGES = [
    damage_header, damage_blocks, replace_by_folder,
    lambda path: path.write_bytes(b""), lambda path: path.write_bytes(path.read_bytes()[:5_000]),
]  # fmt: skip


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_build_database_that_cannot_be_read_is_what_the_first_line_says(published, damage):
    """The published copy of its memory says that all is well."""
    pin_clock(published, MORNING, ["42"])
    assert run("status").exit_code == 0
    damage(published / "build.duckdb")
    result = run("status")
    state = json.loads(run("status", "--json").stdout)
    assert (result.exit_code, state["state"]) == (1, "failed")
    assert result.stdout.startswith("Failed: no night can run: ")
    assert "readers see version" in state["verdict"]
    assert "in another process" not in state["verdict"]
    assert [one["run_id"] for one in state["runs"]] == ["r1"]


def test_a_database_that_is_open_elsewhere_is_said_to_be(published):
    holder = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holder, str(published / "build.duckdb")],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        result = run("status")
        process.communicate("\n")
    assert result.exit_code == 1
    assert "build.duckdb is open in another process" in " ".join(result.stdout.split())


@pytest.mark.parametrize("name", ["sluice.duckdb", "manifest.json"])
def test_a_damaged_version_is_what_the_first_line_says_if_readers_see_it(published, name):
    pin_clock(published, MORNING, ["42"])
    older = publish_again(published)
    newest = publish_again(published)
    (published / "published" / "versions" / older / name).write_bytes(b"{")
    result = run("status", "--json")
    state = json.loads(result.stdout)
    assert (result.exit_code, list(state["damaged_versions"])) == (0, [older])
    assert f"Version {older} is damaged: " in run("status").stdout
    (published / "published" / "versions" / newest / name).write_bytes(b"{")
    result = run("status")
    assert result.exit_code == 1
    assert result.stdout.startswith(
        f"Failed: readers cannot read what is published: version {newest}"
    )
    listed = run("versions")
    assert f"Version {newest} is damaged" in listed.stderr
    told = {one["version"]: one for one in json.loads(run("versions", "--json").stdout)}
    assert (told[newest]["current"], told[older]["current"]) == (True, False)
    assert "is not as it was published" in told[newest]["damaged"] or name == "manifest.json"
    assert run("rollback").exit_code == 0
    assert run("status").exit_code == 0


def test_status_needs_no_right_to_write(published):
    """As another user sees a home: nothing in it may be opened for writing."""
    pin_clock(published, MORNING, ["42"])
    with hold_lock(published / "run.lock"):
        pass
    opened = []
    real = Path.open

    def watched(self, mode="r", *arguments, **named):
        opened.append((self.name, mode))
        return real(self, mode, *arguments, **named)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Path, "open", watched)
        assert run("status").exit_code == 0
    assert ("run.lock", "r") in opened
    assert not [one for one in opened if set(one[1]) & set("wa+")]
