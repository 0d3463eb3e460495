"""Ctrl-C and SIGTERM end a command with 130 and 143 and one sentence, whatever becomes of them."""

import signal
import subprocess
import sys

import pytest

# A command that is asked to stop while it works, in the ways that libraries hear of it.
COMMAND = """
import os, signal, sys
import pipelines.cli
command = sys.modules['pipelines.cli.app']
signal.signal(signal.SIGINT, signal.default_int_handler)
def work():
    number, how = NUMBER, HOW
    if how == "replaced":
        for one in (signal.SIGINT, signal.SIGTERM):
            signal.signal(one, lambda *_: None)
    try:
        os.kill(os.getpid(), number)
        for _ in range(10_000_000):
            if how == "replaced":
                break
    except KeyboardInterrupt as error:
        if how == "wrapped":
            raise ValueError("Field columns of type Dict") from error
        if how == "late":
            return
        raise
    if how == "replaced":
        raise RuntimeError("Query interrupted")
command.app.command("work")(work)
sys.argv = ["sluice", "work"]
command.main()
"""
STOPPED = "Stopped. What was loaded stays; run the same command again to go on.\n"


def stopped_command(number: int, how: str) -> subprocess.CompletedProcess[str]:
    code = COMMAND.replace("NUMBER", str(int(number))).replace("HOW", repr(how))
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["plain", "wrapped", "replaced"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_signal_tells_the_exit_code(number, code, how):
    ended = stopped_command(number, how)
    assert (ended.returncode, ended.stderr) == (code, STOPPED)


def test_a_signal_that_came_too_late_changes_nothing():
    ended = stopped_command(signal.SIGTERM, "late")
    assert (ended.returncode, ended.stderr) == (0, "")
