"""DuckDB's own shell (`duckdb-cli`) on a published file: for a person, or to print a script's rows.

What the user keeps in ~/.duckdbrc is not read: it may open other files, or write.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

from pipelines.cli.common import notes, out, visible
from pipelines.cli.query_output import SEARCH_PATH, Format, QueryError

_SETTINGS = f"set TimeZone = 'UTC'; {SEARCH_PATH}"
_TABLES = """
    select schema_name || '.' || table_name as "table", estimated_size as "rows",
        left(regexp_extract(coalesce(comment, ''), '^[^.:(]*'), 70) as holds
    from duckdb_tables() order by all
"""


def open_shell(path: Path, form: Format) -> None:
    """Our tables, and then the shell, until the user leaves: it has told its errors itself."""
    notes.print("The published version, read-only. '.help' explains; '.quit' leaves.")
    mode = "duckbox" if form is Format.table else form
    start = _commands(".mode column", _TABLES, f".mode {mode}")
    if out.no_color:
        start += _commands(".highlight off")
    # Ctrl-C is for the shell, which stops the query; the process that waits for it stays.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        # Without the mode it asks the terminal for one, and waits for ever where none answers.
        subprocess.call([*_shell(path), "-dark-mode", *start])
    finally:
        signal.signal(signal.SIGINT, before)


def print_tables(path: Path, script: str) -> None:
    """What the shell prints of statements and .commands, as wide as the terminal; files are shut.

    Raises QueryError with the shell's words at the first one that fails.
    """
    width = f".maxwidth {out.width}"
    bounded = _commands(width, ".highlight off", ".safe_mode")
    done = subprocess.run(
        [*_shell(path), "-bail", *bounded],
        input=script, capture_output=True, text=True, check=False,
    )  # fmt: skip
    sys.stdout.write(visible(done.stdout))
    if done.returncode:
        raise QueryError(f"The query failed: {done.stderr.strip()}")


def _shell(path: Path) -> list[str]:
    program = str(files("duckdb_cli") / "duckdb")
    return [program, "-no-init", "-readonly", str(path), *_commands(_SETTINGS)]


def _commands(*lines: str) -> list[str]:
    return [word for line in lines for word in ("-cmd", line)]
