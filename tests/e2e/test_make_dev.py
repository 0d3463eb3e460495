"""Dagster's UI as `make dev` starts it, and how Ctrl-C ends it."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from pipelines.config.folders import PROJECT_DIR

# A shell's background ignores Ctrl-C; a terminal does not.
AS_IN_A_TERMINAL = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
SERVES = re.compile(r"Serving dagster-webserver on http://127\.0\.0\.1:\d+")


def until_it_serves(lines: Iterable[str]) -> str:
    """Everything up to that line, or to the end."""
    said = ""
    for line in lines:
        said += line
        if SERVES.search(line):
            break
    return said


def test_ctrl_c_ends_all_of_make_dev(tmp_path: Path) -> None:
    """Once the UI is there; afterwards no process of it holds what it writes to."""
    world = {key: value for key, value in os.environ.items() if "SLUICE_" not in key}
    world |= {"SLUICE_HOME": str(tmp_path / "home"), "SLUICE_PROPERTIES": '[{"id": "42"}]'}
    # With the environment that runs this test, which `setup` would refresh.
    make = ["make", "--assume-old=setup", "dev", f"VENV={sys.prefix}"]
    with subprocess.Popen(
        [sys.executable, "-c", AS_IN_A_TERMINAL, *make],
        cwd=PROJECT_DIR, env=world, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as dev:  # fmt: skip
        assert dev.stdout
        try:
            said = until_it_serves(dev.stdout)
            os.killpg(dev.pid, signal.SIGINT)
            # Ends when the last process that could write has ended.
            rest, _ = dev.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(dev.pid, signal.SIGKILL)
    assert SERVES.search(said), said
    assert "Traceback" not in said + rest
