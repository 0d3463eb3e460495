"""The shell of `sluice sql`: through a pipe, and through a pseudo-terminal."""

import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.reading import fail, publish_again, run

pytestmark = pytest.mark.slow

SLUICE = str(Path(sys.executable).parent / "sluice")
SECONDS = 60.0
PROMPT = "sluice.marts D "
# A session leader that opens a terminal gets it as its own, and Ctrl-C with it.
# With Ctrl-C heard: a shell that starts the tests in its background has it ignored below.
TAKE_TERMINAL = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.open(os.ttyname(0), os.O_RDWR); os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.mark.usefixtures("published")
def test_a_script_through_a_pipe():
    script = "select step\nfrom fct\norder by reached; select ';' as mark; select 'last' as one"
    result = run("sql", "--json", text=script)
    assert result.exit_code == 0
    first, second, last = result.stdout.split("]\n", 2)
    assert [row["step"] for row in json.loads(first + "]")] == ["[b]cart", 'it\'s, "100%"']
    assert json.loads(second + "]") == [{"mark": ";"}]
    assert json.loads(last) == [{"one": "last"}]


@pytest.mark.usefixtures("published")
def test_commands_of_the_shell_through_a_pipe():
    assert run("sql", text=".mode csv\nselect 1 as a;\nselect 2 as b").stdout == "a\n1\nb\n2\n"
    assert run("sql", text=".quit\nselect 1;").stdout == ""
    tables = run("sql", text=".tables fct_data%").stdout
    assert "fct_data_completeness" in tables
    assert "dim_" not in tables


@pytest.mark.usefixtures("published")
@pytest.mark.parametrize("form", ["table", "json"])
def test_the_first_error_ends_a_script(monkeypatch, capsys, tmp_path, form):
    (tmp_path / "script").write_text("drop table fct; select 1;\nselect 'not reached';")
    with (tmp_path / "script").open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        code, text = fail(monkeypatch, capsys, "sql", "--format", form)
    assert code == 1
    assert text.startswith("Error: The query failed: ")
    assert "read-only" in text


@pytest.mark.usefixtures("published")
def test_what_the_user_keeps_for_the_shell_does_not_run(tmp_path, monkeypatch):
    (tmp_path / ".duckdbrc").write_text(".mode csv\ncreate table mine as select 1;")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "\u2502" in run("sql", "select 1 as a").stdout


@contextmanager
def terminal(home: Path, *arguments: str, **environment: str) -> Iterator["Terminal"]:
    """`sluice` in a pseudo-terminal of its own."""
    ours, theirs = pty.openpty()
    # DuckDB's shell asks a terminal without a size where its cursor is, and waits for the answer.
    fcntl.ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 120, 0, 0))
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
        own = [_stat(pid) for pid in (self.process.pid, *self.children())]
        return sum(int(fields[11]) + int(fields[12]) for fields in own)

    def children(self) -> list[int]:
        """Processes that `sluice` started and that still run."""
        folder = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in folder.read_text().split()]

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


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def test_a_talk_on_a_terminal(published):
    with terminal(published, "sql", NO_COLOR="1") as shell:
        listed = shell.read(PROMPT)
        assert "marts.fct_data_completeness" in listed
        answer = shell.type("select reached * 6 as answer\nfrom fct where reached = 7;\n")
        assert "42" in answer
        assert "read-only" in shell.type("delete from fct;\n")
        shell.type("from fct_d", "fct_d\r\x1b[25C")
        shell.type("\t", "fct_data_completeness\r\x1b[41C")
        assert "maturity" in shell.type(";\n")
        shell.type("select count(*) from range(1000000000000) t(i) where sqrt(i) > 3;\n", "\n")
        shell.wait_until_busy()
        shell.type("\x03")
        # The process that waits for the shell heard Ctrl-C, too, and is still there for it.
        assert "77" in shell.type("select 7 * 11;\n")
        shell.type(f"copy fct to '{published}/fct.csv';\n")
        shell.type(".quit\n", "\n")
        assert shell.process.wait(SECONDS) == 0
    assert (published / "fct.csv").read_text().count("\n") == 3
    assert not list(published.parent.glob("**/*.wal"))


@pytest.mark.parametrize("form", ["table", "csv"])
def test_ctrl_c_ends_a_statement_with_130(published, form):
    query = "select 1; select count(*) from range(1000000000000) t(i) where sqrt(i) > 3"
    with terminal(published, "sql", query, "--format", form) as shell:
        if form == "csv":
            shell.read("1\r\n1\r\n")
        while form == "table" and not shell.children():
            select.select([], [], [], 0.05)
        shell.wait_until_busy()
        (computing,) = shell.children() or [shell.process.pid]
        assert "Stopped." in shell.type("\x03", "again to go on.\r\n")
        assert shell.process.wait(SECONDS) == 130
    assert not Path(f"/proc/{computing}").exists()


def test_a_run_may_write_while_somebody_reads(published):
    """The shell has the file open that the next version is made from."""
    with terminal(published, "sql", NO_COLOR="1") as shell:
        shell.read(PROMPT)
        version = publish_again(published)
        assert (published / "published" / "current").readlink().name == version
        assert "1207" in shell.type("select sum(reached) from fct;\n")


def test_a_file_that_is_being_written_is_read_as_a_copy(published):
    file = (published / "published" / "current" / "sluice.duckdb").resolve()
    held = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", held, str(file)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as writer:  # fmt: skip
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        assert "1207" in run("sql", "select sum(reached) from fct").stdout
        writer.communicate("\n")


@pytest.mark.parametrize("form", ["table", "csv"])
def test_a_terminal_gets_no_command_of_a_visitor(published, form):
    query = "select chr(27) || ']0;title' || chr(7) || chr(155) as page, 7 as n"
    with terminal(published, "sql", query, "--format", form, NO_COLOR="1") as shell:
        shell.read("the end")
    assert "]0;title" in shell.seen
    assert r"\x9b" in shell.seen
    assert "\x1b]" not in shell.seen
    assert "\x9b" not in shell.seen


@pytest.mark.parametrize(("variables", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_only_on_a_terminal_that_wants_them(published, variables, is_coloured):
    with terminal(published, "sql", "selec 1", **variables) as shell:
        shell.read("the end")
    assert ("\x1b[31m" in shell.seen) is is_coloured
    assert "Error:" in shell.seen
