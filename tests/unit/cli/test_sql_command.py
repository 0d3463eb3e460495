"""`sluice sql`, `sluice versions` and `sluice rollback` on a published version."""

import json
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.query_output import Format, run_query
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
    cells = [[cell for cell in line if cell not in "│┃"] for line in lines]
    assert ["step", "rate", "day", "reached"] in cells
    assert ["[b]cart", "0.1235", "2026-03-01", "7"] in cells
    assert ["it's,", '"100%"', "2026-03-02", "1200"] in cells


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
    assert run("sql", "set threads = 1").stdout == ""


@pytest.mark.usefixtures("published")
def test_a_plan_keeps_its_lines():
    text = run("sql", "explain select 1").stdout
    assert "\\n" not in text
    assert any("PROJECTION" in line for line in text.splitlines())


@pytest.mark.usefixtures("published")
def test_json_keeps_columns_of_one_name_and_has_no_nan():
    result = run("sql", "select 1 as a, 2 as a, 'nan'::double as b, '-inf'::float as c", "--json")
    assert json.loads(result.stdout, parse_constant=pytest.fail) == [
        {"a": 1, "a_1": 2, "b": "nan", "c": "-inf"}
    ]


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("form", ["table", "line"])
def test_what_visitors_write_commands_no_terminal(form):
    query = (
        "select chr(27) || '[31mred' as page, chr(155) || 'x' || chr(7) as c1, "
        "chr(8238) || 'gpj' as turned, e'two\\nlines' as b, ':warning: [b]' as c"
    )
    text = run("sql", query, "--format", form).stdout
    for shown in (r"\x1b[31mred", r"\x9bx\x07", r"\x202egpj", ":warning: [b]"):
        assert shown in text
    assert all(one.isprintable() or one == "\n" for one in text)
    # The second line of a cell stands below its first, and cannot pass for a row.
    lines = text.splitlines()
    first, second = (next(line for line in lines if word in line) for word in ("two", "lines"))
    assert first.index("two") == second.index("lines")


@pytest.mark.usefixtures("published")
def test_a_file_of_csv_holds_what_is_there():
    assert csv_of("select chr(27) || 'x' as a") == "a\n\x1bx\n"


@pytest.fixture
def width(monkeypatch):
    """Sets the width of the terminal."""

    def give(columns: int) -> None:
        monkeypatch.setattr("pipelines.cli.common.out._width", columns)

    return give


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("columns", [20, 40, 79, 80, 81, 130, 300])
def test_a_wide_table_shows_the_columns_that_fit_and_names_the_rest(width, columns):
    width(columns)
    names = [f"column_{number}" for number in range(30)]
    query = "select " + ", ".join(f"'value {name[7:]}' as {name}" for name in names)
    lines = run("sql", query).stdout.splitlines()
    assert max(map(len, lines)) <= columns
    head = next(line for line in lines if "column_0" in line).split()
    # Nothing is squeezed: every heading and every value stands whole in its line.
    assert head == names[: len(head)]
    values = next(line for line in lines if "value" in line).split()
    assert values == [word for number in range(len(head)) for word in ("value", str(number))]
    # Two spaces before a cell, one after it: nothing that would have fitted is left out.
    fitting = 1
    while 1 + sum(len(name) + 3 for name in names[: fitting + 1]) <= columns and fitting < 30:
        fitting += 1
    assert len(head) == fitting
    rest = " ".join(" ".join(lines).split()).partition(f"{30 - fitting} more column")[2]
    for name in names[fitting:]:
        assert name in rest.replace(" ", "").replace(",", " ").split() or name in rest
    assert ("--format csv shows all" in rest) is (fitting < 30)


@pytest.mark.usefixtures("published")
def test_a_long_cell_is_folded_and_gets_the_room_that_is_left(width):
    text = "x" * 100
    query = f"select '{text}' as a, 7 as b"
    for columns, lines_of_a in ((60, 2), (130, 1), (30, 4)):
        width(columns)
        lines = run("sql", query).stdout.splitlines()
        assert "".join(lines).count("x") == len(text)
        assert sum("x" in line for line in lines) == lines_of_a
        assert max(map(len, lines)) <= columns


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("rows", "shown", "note"),
    [
        (40, 40, ""),
        (41, 40, "… 1 more row: --format csv shows all, or say limit in the query."),
        (5040, 40, "… 5,000 more rows: --format csv"),
        (100_039, 40, "… 99,999 more rows"),
        (1_000_000, 40, "… more than 100,000 more rows"),
    ],
)
def test_a_table_shows_its_first_rows_and_counts_the_rest(rows, shown, note):
    query = f"select i as n from range({rows}) t(i)"
    for form in ("table", "line"):
        text = run("sql", query, "--format", form).stdout
        lines = text.splitlines()
        values = [line.split()[-1] for line in lines if line.split() and "row" not in line]
        numbers = [int(one) for one in values if one.isdecimal()]
        assert numbers == list(range(shown))
        assert (note in text) if note else "more" not in text


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
    (statement,) = connection.extract_statements("select i as n from range(1000000000000) t(i)")
    reader = Reader()
    with redirect_stdout(reader), pytest.raises(ReaderLeftError):
        run_query(connection, statement, Format(form))
    first = {"csv": "n\n0\n1\n2\n", "json": '[\n{"n": 0},\n{"n": 1},\n'}[form]
    assert reader.getvalue().startswith(first)


@pytest.mark.usefixtures("published")
def test_large_numbers_keep_their_digits():
    result = run("sql", "select 19466.12::double as a, 0.000012345::double as b, -1234.56 as c")
    assert result.stdout.split()[-3:] == ["19466.1", "1.234e-05", "-1234.56"]


@pytest.mark.usefixtures("published")
def test_dot_commands_are_understood_as_one_argument():
    result = run("sql", ".tables compl", "--json")
    assert json.loads(result.stdout) == [
        {"name": "marts.fct_data_completeness", "rows": 1, "holds": None}
    ]
    assert (
        run("sql", ".tables compl", "--json").stdout
        == run("sql", "--json", text=".tables compl").stdout
    )
    assert "reached" in run("sql", ".describe fct").stdout
    assert run("sql", ".format csv\nselect 1 as a;\nselect 2 as b").stdout == "a\n1\nb\n2\n"


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("text", ["", " ; ", "\n"])
def test_no_query_is_explained(monkeypatch, capsys, text):
    code, words = fail(monkeypatch, capsys, "sql", text)
    assert (code, "There is no query" in words) == (1, True)


@pytest.mark.usefixtures("published")
def test_an_unknown_dot_command_is_explained(monkeypatch, capsys):
    code, words = fail(monkeypatch, capsys, "sql", ".tabels")
    assert (code, "no command '.tabels'" in words) == (1, True)


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
