"""The shell of `sluice sql`: through a pipe, and through a pseudo-terminal."""

import json
import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from pipelines.cli.completion import Completer
from pipelines.cli.shell import CONTINUED, PROMPT, is_complete
from pipelines.warehouse.connect import published_database
from tests.support.reading import fail, run

SLUICE = str(Path(sys.executable).parent / "sluice")
SECONDS = 60.0
# A session leader that opens a terminal gets it as its own, and Ctrl-C with it.
TAKE_TERMINAL = (
    "import os, sys; os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.mark.parametrize(
    ("text", "is_whole"),
    [
        ("select 1", False),
        ("select 1;", True),
        ("select 1; -- done", True),
        ("select 1; select 2;", True),
        ("select 'a;", False),
        ("select 'a;\nb';", True),
        ('select 1 as "x;', False),
        ("select 1 /* ;", False),
        ("selec 1;", True),
    ],
)
def test_a_statement_ends_with_a_semicolon_outside_quotes(text, is_whole):
    assert is_complete(duckdb.connect(), text) is is_whole


@pytest.mark.usefixtures("published")
def test_a_script_through_a_pipe():
    script = (
        "select step\nfrom fct\norder by reached; select 2 as two;\n"
        ".format csv\nselect ';' as mark;\nselect 'last' as one"
    )
    result = run("sql", "--json", text=script)
    assert result.exit_code == 0
    first, second, rest = result.stdout.split("]\n")
    assert [row["step"] for row in json.loads(first + "]")] == ["[b]cart", 'it\'s, "100%"']
    assert json.loads(second + "]") == [{"two": 2}]
    assert rest == "mark\n;\none\nlast\n"


@pytest.mark.usefixtures("published")
def test_dot_commands():
    assert json.loads(run("sql", "--json", text=".tables compl").stdout) == [
        {"name": "marts.fct_data_completeness", "rows": 1, "holds": None}
    ]
    columns = json.loads(run("sql", "--json", text=".describe MARTS.fct").stdout)
    assert [(one["column_name"], one["data_type"]) for one in columns] == [
        ("step", "VARCHAR"), ("rate", "DOUBLE"), ("day", "DATE"), ("reached", "INTEGER"),
    ]  # fmt: skip
    lines = run("sql", text=".format line\nfrom fct where reached = 7").stdout.splitlines()
    assert lines[0] == "row 1"
    assert [line.split() for line in lines[1:]] == [
        ["step", "[b]cart"], ["rate", "0.1235"], ["day", "2026-03-01"], ["reached", "7"],
    ]  # fmt: skip
    assert run("sql", text=".quit\nselect 1;").stdout == ""
    assert ".describe TABLE" in run("sql", text=".help").stderr


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize(
    ("script", "words"),
    [
        (".describe nope", "no table 'nope': '.tables' lists them"),
        (".format xml", "table, csv, json, line"),
        (".tabels", "no command '.tabels': '.help' lists them"),
        ("drop table fct; select 1;", "read-only"),
    ],
)
def test_the_first_error_ends_a_script(monkeypatch, capsys, tmp_path, script, words):
    (tmp_path / "script").write_text(script + "\nselect 'not reached';")
    with (tmp_path / "script").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code, text = fail(monkeypatch, capsys, "sql")
    assert code == 1
    assert text.startswith("Error: ")
    assert words in text


def test_completion_knows_tables_columns_and_commands(published):
    with published_database(published / "published") as connection:
        names = Completer(connection)
    assert names.candidates("fct", "select * from fct") == ["fct", "fct_data_completeness"]
    assert names.candidates("marts.fct_", "from marts.fct_") == ["marts.fct_data_completeness"]
    assert "step" in names.candidates("st", "select st")
    assert "maturity" not in names.candidates("ma", "select reached from marts.fct where ma")
    assert names.candidates("f.re", "from fct as f where f.re") == ["f.reached"]
    assert names.candidates("WHE", "from fct WHE") == ["when", "where"]
    assert names.candidates(".de", ".de") == [".describe"]
    assert names.candidates("", ".format ") == ["csv", "json", "line", "table"]


@contextmanager
def terminal(home: Path, *arguments: str, **environment: str) -> Iterator["Terminal"]:
    """`sluice` in a pseudo-terminal of its own."""
    ours, theirs = pty.openpty()
    started = subprocess.Popen(
        [sys.executable, "-c", TAKE_TERMINAL, SLUICE, *arguments],
        stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        env={**os.environ, "HOME": str(home), "TERM": "xterm", **environment},
    )  # fmt: skip
    os.close(theirs)
    try:
        yield Terminal(ours, started)
    finally:
        if started.poll() is None:
            started.kill()
        started.wait()
        os.close(ours)


class Terminal:
    """What is typed, and what is seen."""

    def __init__(self, handle: int, process: subprocess.Popen[bytes]) -> None:
        self._handle, self.process, self.seen = handle, process, ""

    def type(self, text: str, until: str = PROMPT) -> str:
        """Type, and read until `until` is the last thing seen; what was seen since."""
        start = len(self.seen)
        os.write(self._handle, text.encode())
        return self.read(until, start)

    def wait_until_busy(self) -> None:
        """Until the process has computed for half a second: a query is under way.

        Before that, Ctrl-C may meet the line editor, which is still giving the terminal back.
        """
        end, start = time.monotonic() + SECONDS, self._ticks()
        while self._ticks() < start + os.sysconf("SC_CLK_TCK") / 2:
            assert time.monotonic() < end, self.seen
            select.select([], [], [], 0.05)

    def _ticks(self) -> int:
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    def read(self, until: str, start: int = 0) -> str:
        end = time.monotonic() + SECONDS
        while not self.seen[start:].endswith(until):
            ready, _, _ = select.select([self._handle], [], [], end - time.monotonic())
            assert ready, self.seen
            try:
                self.seen += os.read(self._handle, 65536).decode()
            except OSError:
                break
        return self.seen[start:]


def test_a_talk_on_a_terminal(published):
    with terminal(published, "sql") as shell:
        shell.read(PROMPT)
        shell.type("select reached * 6 as answer\n", CONTINUED)
        answer = shell.type("from fct where reached = 7;\n")
        assert "42" in answer
        assert "1 row in" in answer
        assert "Error:" in shell.type("selec 1;\n")
        assert "maturity" in shell.type(".describe fct_d\t\n")
        shell.type("select count(*) from range(1000000000000) t(i) where sqrt(i) > 3;\n", "\n")
        shell.wait_until_busy()
        assert "Stopped." in shell.type("\x03")
        shell.type(".quit\n", "\n")
        assert shell.process.wait(SECONDS) == 0
    history = (published / ".sluice_history").read_text().splitlines()
    assert history[:2] == ["select reached * 6 as answer", "from fct where reached = 7;"]


@pytest.mark.parametrize("form", ["table", "csv", "line"])
def test_a_terminal_gets_no_command_of_a_visitor(published, form):
    query = "select chr(27) || ']0;title' || chr(7) as page, 7 as n"
    with terminal(published, "sql", query, "--format", form, NO_COLOR="1") as shell:
        shell.read("the end")
    assert r"\x1b]0;title\x07" in shell.seen
    assert "\x1b]" not in shell.seen


@pytest.mark.parametrize(("variables", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_only_on_a_terminal_that_wants_them(published, variables, is_coloured):
    with terminal(published, "sql", "selec 1", **variables) as shell:
        shell.read("the end")
    assert ("\x1b[31m" in shell.seen) is is_coloured
    assert "Error:" in shell.seen
