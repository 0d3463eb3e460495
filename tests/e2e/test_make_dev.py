"""Dagster's UI as `make dev` starts it, and how Ctrl-C ends it."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

from pipelines.config.folders import PROJECT_DIR

# A shell's background ignores Ctrl-C; a terminal does not.
AS_IN_A_TERMINAL = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execvp(sys.argv[1], sys.argv[1:])"
)
DAEMONS = re.compile(r"Instance is configured with the following daemons")
SERVES = re.compile(r"Serving dagster-webserver on (http://127\.0\.0\.1:\d+)")


def until_all_is_up(lines: Iterable[str]) -> str:
    """Everything up to the lines of the UI and of its daemons, or to the end.

    The UI is up when it answers: it announces itself earlier, and Ctrl-C in the moment between is
    Dagster's own traceback.
    """
    said = ""
    for line in lines:
        said += line
        if DAEMONS.search(said) and (serves := SERVES.search(said)):
            wait_for_answer(f"{serves[1]}/server_info")
            break
    return said


def wait_for_answer(url: str) -> None:
    """For a minute at most."""
    for _ in range(600):
        with suppress(OSError), urlopen(url, timeout=60):
            return
        time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def test_ctrl_c_ends_all_of_make_dev(tmp_path: Path) -> None:
    """Once the UI is there; afterwards no process of it holds what it writes to."""
    world = {key: value for key, value in os.environ.items() if "SLUICE_" not in key}
    world |= {"SLUICE_HOME": str(tmp_path / "home"), "SLUICE_PROPERTIES": '[{"id": "42"}]'}
    # With the environment that runs this test, which `setup` would refresh.
    # The Makefile's own paths begin here, too: a checkout's folder may have a space in its name.
    venv = os.path.relpath(sys.prefix, PROJECT_DIR)
    make = ["make", "--assume-old=setup", "dev", f"VENV={venv}"]
    with subprocess.Popen(
        [sys.executable, "-c", AS_IN_A_TERMINAL, *make],
        cwd=PROJECT_DIR, env=world, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as dev:  # fmt: skip
        assert dev.stdout
        try:
            said = until_all_is_up(dev.stdout)
            os.killpg(dev.pid, signal.SIGINT)
            # Ends when the last process that could write has ended.
            rest, _ = dev.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(dev.pid, signal.SIGKILL)
    assert SERVES.search(said), said
    assert "Traceback" not in said + rest
