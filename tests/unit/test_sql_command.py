"""`sluice sql`, `sluice versions` and `sluice rollback` on a published version."""

import json
from pathlib import Path

import pytest

from pipelines.warehouse.connect import build_database
from tests.unit.reading import fail, publish_again, run

ROWS = "select * from marts.fct order by step"


@pytest.mark.usefixtures("published")
def test_sql_as_json():
    result = run("sql", ROWS, "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {"step": "[b]cart", "rate": 0.123456, "day": "2026-03-01", "reached": 7},
        {"step": 'it\'s, "100%"', "rate": None, "day": "2026-03-02", "reached": 1200},
    ]


@pytest.mark.usefixtures("published")
def test_json_has_one_option_in_all_commands():
    assert run("sql", ROWS, "--json").stdout == run("sql", ROWS, "--format", "json").stdout


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


def test_versions_and_rollback_say_what_changed(published, monkeypatch):
    monkeypatch.setattr("pipelines.cli.common.out._width", 200)
    first = json.loads(run("versions", "--json").stdout)[0]["version"]
    with build_database(published / "build.duckdb") as build:
        build.execute("insert into marts.fct from marts.fct limit 1")
        build.execute("create table marts.fct_new as select 1 as a")
    second = publish_again(published, end="2026-03-03", code="0.2.0")
    after = ["newest day 2026-03-02 → 2026-03-03", "+2 rows", "with fct_new", "code 0.1.0 → 0.2.0"]
    before = ["newest day 2026-03-03 → 2026-03-02", "-2 rows", "without fct_new",
              "code 0.2.0 → 0.1.0"]  # fmt: skip
    listed = " ".join(run("versions").stdout.split())
    assert "; ".join(after[:2]) in listed
    told = run("rollback").stdout
    assert told == (
        f"Readers now see version {first} instead of {second}: {'; '.join(before)}. "
        f"Back again: sluice rollback {second}\n"
    )
    result = json.loads(run("rollback", second, "--json").stdout)
    assert result == {"version": second, "instead_of": first, "changed": after}


@pytest.mark.usefixtures("published")
def test_rollback_to_an_unknown_version_fails(monkeypatch, capsys):
    code, text = fail(monkeypatch, capsys, "rollback", "v9")
    assert code == 1
    assert "no version 'v9'" in text
