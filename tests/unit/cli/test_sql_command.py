"""`sluice sql`, `sluice versions` and `sluice rollback` on a published version."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.query_output import Format, print_rows
from pipelines.warehouse.connect import build_database
from tests.support.reading import fail, publish_again, run

pytestmark = pytest.mark.slow

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
    cells = [[cell for cell in line if cell != "│"] for line in lines]
    assert ["step", "rate", "day", "reached"] in cells
    assert ["[b]cart", "0.123456", "2026-03-01", "7"] in cells
    assert ["it's,", '"100%"', "NULL", "2026-03-02", "1200"] in cells


def csv_of(query: str) -> str:
    result = run("sql", query, "--format", "csv")
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.usefixtures("published")
def test_csv_tells_an_empty_text_from_none():
    assert csv_of("select '' as a, null as b, ' ' as c, 0 as d") == 'a,b,c,d\n"",, ,0\n'
    assert csv_of("select 'x,y' as a, 'p\"q' as b, e'r\\ns' as c") == (
        'a,b,c\n"x,y","p""q","r\ns"\n'
    )


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ('=HYPERLINK("x")', '"\'=HYPERLINK(""x"")"'),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum", "'@sum"),
        ("\t=1", "'\t=1"),
        ("\r=1", '"\'\r=1"'),
        ("\n=1", '"\'\n=1"'),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
    ],
)
def test_a_text_is_no_formula_in_csv(text, cell):
    codes = " || ".join(f"chr({ord(one)})" for one in text)
    assert csv_of(f"select {codes} as a") == f"a\n{cell}\n"
    # JSON is for programs: as it is.
    assert json.loads(run("sql", f"select {codes} as a", "--json").stdout) == [{"a": text}]


@pytest.mark.usefixtures("published")
def test_numbers_and_days_in_csv_are_as_they_are():
    query = "select -1 as a, -0.5::double as b, -1.50::decimal(4, 2) as c, date '2026-03-01' as d"
    assert csv_of(query) == "a,b,c,d\n-1,-0.5,-1.50,2026-03-01\n"


@pytest.mark.usefixtures("published")
def test_a_pivot_makes_no_formula_of_a_heading():
    assert csv_of("pivot (select '=1' as a, 2 as b) on a using sum(b)") == "'=1\n2\n"


@pytest.mark.usefixtures("published")
def test_a_statement_without_rows_prints_none():
    assert run("sql", "set threads = 1; select 1 as a", "--format", "csv").stdout == "a\n1\n"
    assert run("sql", "set threads = 1", "--format", "csv").stdout == ""


@pytest.mark.usefixtures("published")
def test_json_keeps_columns_of_one_name_and_has_no_nan():
    result = run("sql", "select 1 as a, 2 as a, 'nan'::double as b, '-inf'::float as c", "--json")
    assert json.loads(result.stdout, parse_constant=pytest.fail) == [
        {"a": 1, "a_1": 2, "b": "nan", "c": "-inf"}
    ]


@pytest.mark.usefixtures("published")
def test_what_visitors_write_commands_no_terminal():
    query = (
        "select chr(27) || '[31mred' as page, chr(155) || 'x' || chr(7) as c1, "
        "chr(8238) || 'gpj' as turned, e'two\\nlines' as b, ':warning: [b]' as c"
    )
    text = run("sql", query).stdout
    for shown in (r"\e[31mred", r"\x9bx\a", r"\x202egpj", r"two\nlines", ":warning: [b]"):
        assert shown in text
    assert all(one.isprintable() or one == "\n" for one in text)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("width", ["80", "120", "300"])
def test_a_table_is_as_wide_as_the_terminal_and_says_what_it_leaves_out(monkeypatch, width):
    monkeypatch.setattr("pipelines.cli.common.out._width", int(width))
    names = ", ".join(f"'value {number}' as column_{number}" for number in range(30))
    lines = run("sql", f"select {names}").stdout.splitlines()
    assert max(map(len, lines)) <= int(width)
    assert "column_0" in lines[1]
    assert "30 columns" in lines[-1]


@pytest.mark.usefixtures("published")
def test_a_table_shows_forty_rows_and_counts_all():
    lines = run("sql", "select i as n from range(1000000) t(i)").stdout.splitlines()
    assert sum(line.strip("│ ").isdecimal() for line in lines) == 40
    assert "1000000 rows" in " ".join(lines)


@pytest.mark.usefixtures("published")
def test_a_file_of_csv_holds_what_is_there():
    assert csv_of("select chr(27) || 'x' as a") == "a\n\x1bx\n"


@pytest.mark.usefixtures("published")
def test_csv_and_json_are_whole():
    query = "select i as n from range(5040) t(i)"
    assert csv_of(query) == "n\n" + "".join(f"{number}\n" for number in range(5040))
    records = json.loads(run("sql", query, "--json").stdout)
    assert [one["n"] for one in records] == list(range(5040))


@pytest.mark.parametrize("form", ["csv", "json"])
def test_rows_are_written_as_they_come(form):
    """Whoever reads them may stop before the last of a million million."""

    class ReaderLeftError(Exception):
        pass

    class Reader(StringIO):
        def write(self, text: str) -> int:
            if self.tell() > 100:
                raise ReaderLeftError
            return super().write(text)

    connection = duckdb.connect()
    connection.execute("create schema marts; create schema ops")
    reader = Reader()
    with redirect_stdout(reader), pytest.raises(ReaderLeftError):
        print_rows(connection, "select i as n from range(1000000000000) t(i)", Format(form))
    first = {"csv": "n\n0\n1\n2\n", "json": '[\n{"n": 0},\n{"n": 1},\n'}[form]
    assert reader.getvalue().startswith(first)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("text", ["", " ; ", "\n"])
def test_no_query_is_explained(monkeypatch, capsys, text):
    code, words = fail(monkeypatch, capsys, "sql", text)
    assert (code, "There is no query" in words) == (1, True)


@pytest.mark.usefixtures("published")
def test_an_unknown_dot_command_is_explained(monkeypatch, capsys):
    code, words = fail(monkeypatch, capsys, "sql", ".tabels")
    assert (code, 'Did you mean: ".tables"' in words) == (1, True)
    code, words = fail(monkeypatch, capsys, "sql", ".tables", "--json")
    assert (code, "leave out --format and --json" in words) == (1, True)


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("form", ["table", "csv", "json"])
@pytest.mark.parametrize(
    "query",
    [
        "copy marts.fct to 'made.csv'",
        "explain analyze copy marts.fct to 'made.csv'",
        "attach 'made.db'",
        "set enable_external_access = true; copy marts.fct to 'made.csv'",
        "export database 'made'",
    ],
)
def test_a_statement_reaches_no_file(monkeypatch, capsys, form, query):
    assert fail(monkeypatch, capsys, "sql", query, "--format", form)[0] == 1
    assert not list(Path().glob("made*"))


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    "command", [".output made", ".shell touch made", ".safe_mode off\n.once made"]
)
def test_a_command_of_the_shell_reaches_no_file(command):
    run("sql", f"{command}\nselect 1")
    assert not Path("made").exists()


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
