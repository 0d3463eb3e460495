"""The reading commands on a published version: `sql`, `versions`, `rollback`, `status`."""

import json
import sys
from datetime import date
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipelines.cli.app import app, main
from pipelines.lock import hold_lock
from pipelines.warehouse.connect import build_database
from pipelines.warehouse.publish import Publication, publish
from pipelines.warehouse.runs import FAILED, finish_run, start_run

ROWS = "select * from marts.fct order by step"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home; commands run in a folder of their own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SLUICE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "120")
    return tmp_path / "home"


@pytest.fixture
def published(home: Path) -> Path:
    """One version with one small mart."""
    with build_database(home / "build.duckdb") as build:
        build.execute("create schema marts")
        build.execute(
            "create table marts.fct as select * from (values "
            "('[b]cart', 0.123456::double, date '2026-03-01', 7), "
            "('it''s, \"100%\"', null, date '2026-03-02', 1200)) as t (step, rate, day, reached)"
        )
        build.execute(
            "create table marts.fct_data_completeness as select '42' as property_id, "
            "date '2026-03-02' as date, 'provisional' as maturity, true as is_complete"
        )
        start_run(build, "r1", "nightly", date(2026, 3, 1), date(2026, 3, 2), "0.1.0")
    publish_again(home)
    finish_run(home / "build.duckdb", "r1", "published", "")
    return home


def publish_again(home: Path) -> str:
    return publish(
        Publication(
            home / "build.duckdb", home / "published", "r1", "0.1.0", "2026-03-01", "2026-03-02",
            keep_versions=7, with_parquet=False,
        )
    )  # fmt: skip


def run(*arguments: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=text)


def fail(monkeypatch, capsys, *arguments: str) -> tuple[int, str]:
    """Exit code and standard error of the command as the shell sees it."""
    monkeypatch.setattr(sys, "argv", ["sluice", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    captured = capsys.readouterr()
    assert captured.out == ""
    return int(caught.value.code or 0), captured.err


@pytest.mark.usefixtures("published")
def test_sql_as_json():
    result = run("sql", ROWS, "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"step": "[b]cart", "rate": 0.123456, "day": "2026-03-01", "reached": 7},
        {"step": 'it\'s, "100%"', "rate": None, "day": "2026-03-02", "reached": 1200},
    ]


@pytest.mark.usefixtures("published")
def test_sql_as_csv():
    result = run("sql", ROWS, "--format", "csv")
    assert result.stdout == (
        'step,rate,day,reached\n[b]cart,0.123456,2026-03-01,7\n"it\'s, ""100%""",,2026-03-02,1200\n'
    )


@pytest.mark.usefixtures("published")
def test_sql_as_table():
    result = run("sql", ROWS)
    lines = [line.split() for line in result.stdout.splitlines()]
    cells = [[cell for cell in line if cell not in "│┃"] for line in lines]
    assert ["step", "rate", "day", "reached"] in cells
    assert ["[b]cart", "0.1235", "2026-03-01", "7"] in cells
    assert ["it's,", '"100%"', "2026-03-02", "1200"] in cells


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("name", ["[bold]", "[/b]", "a[b]"])
def test_a_column_may_have_any_name(name):
    result = run("sql", f'select 1 as "{name}"')
    assert result.exit_code == 0
    assert name in result.stdout


@pytest.mark.usefixtures("published")
def test_a_query_may_come_through_a_pipe():
    result = run("sql", "--format", "csv", text="select count(*) as n\nfrom marts.fct;\n")
    assert result.stdout == "n\n2\n"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_no_rows_are_no_error(form):
    result = run("sql", "select step from marts.fct where false", "--format", form)
    assert result.exit_code == 0
    assert {"table": "step" in result.stdout, "csv": result.stdout == "step\n",
            "json": result.stdout == "[]\n"}[form]  # fmt: skip


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("select * from marts.fct_funel", ["fct_funel", "does not exist"]),
        ("selec 1", ["syntax error"]),
        ("delete from marts.fct", ["read-only"]),
        ("create table marts.mine as select 1", ["read-only"]),
    ],
)
def test_a_query_that_fails_is_explained(monkeypatch, capsys, query, words):
    code, text = fail(monkeypatch, capsys, "sql", query)
    assert code == 1
    for word in ["The query failed", *words]:
        assert word in text
    assert json.loads(
        run("sql", "select count(*) as n from marts.fct", "--format", "json").stdout
    ) == [{"n": 2}]


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("command", [("sql", "select 1"), ("rollback",)])
def test_before_the_first_night_the_next_step_is_told(monkeypatch, capsys, command):
    code, text = fail(monkeypatch, capsys, *command)
    assert code == 1
    assert "Nothing is published" in text
    assert "sluice nightly" in text


def test_a_broken_settings_file_is_one_sentence(home, monkeypatch, capsys):
    Path("sluice.yml").write_text("hme: x")
    code, text = fail(monkeypatch, capsys, "status")
    assert (code, text.count("\n")) == (1, 1)
    assert "did you mean 'home'?" in text
    assert not home.exists()


def test_versions_and_rollback(published):
    first = json.loads(run("versions", "--json").stdout)[0]["version"]
    second = publish_again(published)
    listed = json.loads(run("versions", "--json").stdout)
    assert [(one["version"], one["current"]) for one in listed] == [(first, False), (second, True)]
    assert listed[0]["rows"]["marts.fct"] == 2
    result = run("rollback")
    assert result.exit_code == 0
    assert first in result.stdout
    listed = json.loads(run("versions", "--json").stdout)
    assert [one["current"] for one in listed] == [True, False]
    assert second in run("rollback", second).stdout


@pytest.mark.usefixtures("published")
def test_rollback_to_an_unknown_version_fails(monkeypatch, capsys):
    code, text = fail(monkeypatch, capsys, "rollback", "v9")
    assert code == 1
    assert "no version 'v9'" in text


@pytest.mark.usefixtures("home")
def test_status_before_the_first_night():
    state = json.loads(run("status", "--json").stdout)
    assert "Nothing has run here yet" in state["verdict"]
    assert (state["current_version"], state["runs"], state["is_running"]) == (None, [], False)
    assert run("versions").stdout.startswith("Nothing is published yet")


def test_status_says_when_nothing_new_came_for_days(published):
    verdict = json.loads(run("status", "--json").stdout)["verdict"]
    assert verdict.startswith("Not fine: the newest published day of property 42 is 2026-03-02.")


def test_status_after_a_good_and_a_bad_night(published, monkeypatch):
    monkeypatch.setattr("pipelines.state.DAYS_BEHIND", 100_000)
    state = json.loads(run("status", "--json").stdout)
    assert state["verdict"].startswith("Fine: the last run published days up to 2026-03-02")
    assert state["freshness"] == [
        {"property_id": "42", "newest_day": "2026-03-02", "provisional_days": 1,
         "incomplete_days": 0}
    ]  # fmt: skip
    build_db = published / "build.duckdb"
    with build_database(build_db) as build:
        start_run(build, "r2", "nightly", date(2026, 3, 2), date(2026, 3, 3), "0.1.0")
        # A night that fails at once may end, and be tried again, in the same second.
        for run_id, second in (("r1", "05.1"), ("r2", "05.9")):
            moment = f"2026-03-04 04:30:{second}+00"
            build.execute("update ops.runs set started_at = ? where run_id = ?", [moment, run_id])
    assert json.loads(run("status", "--json").stdout)["runs"][0]["status"] == "interrupted"
    finish_run(build_db, "r2", FAILED, "It's the disk.")
    state = json.loads(run("status", "--json").stdout)
    assert state["verdict"].startswith("Not fine: the last run ended as failed")
    assert state["verdict"].endswith("It's the disk.")
    assert [one["run_id"] for one in state["runs"]] == ["r2", "r1"]
    text = run("status").stdout
    assert "Last runs" in text
    assert "Newest days" in text


def test_status_shows_a_message_as_it_is(published):
    build_db = published / "build.duckdb"
    with build_database(build_db) as build:
        start_run(build, "r1", "nightly", date(2026, 3, 1), date(2026, 3, 2), "0.1.0")
    finish_run(build_db, "r1", FAILED, "No column [size] in [/data].")
    result = run("status")
    assert result.exit_code == 0
    assert "No column [size] in [/data]." in result.stdout


def test_status_during_a_run_leaves_the_build_database_to_it(published, monkeypatch):
    """DuckDB takes one writer or some readers: a look at it would make the run's next step fail."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the build database was opened beside a run")

    monkeypatch.setattr("pipelines.state.build_database", refuse)
    with hold_lock(published / "run.lock"):
        state = json.loads(run("status", "--json").stdout)
    assert state["is_running"]
    assert state["verdict"].startswith("A run is going on; readers see version ")
    assert [one["run_id"] for one in state["runs"]] == ["r1"]
