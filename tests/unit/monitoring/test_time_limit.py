"""A run that hangs is stopped, and lets the next one in."""

import subprocess
import sys

import pytest

# Hangs with the signal blocked, or waits as one that hears it.
HANGING = """
import logging, signal, sys, threading
from pipelines.monitoring.time_limit import time_limit
logging.basicConfig()
if sys.argv[1] == "deaf":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with time_limit(0.05, "It took too long.", grace=0.5):
    threading.Event().wait(60)
"""


@pytest.mark.parametrize(("how", "code"), [("hears", 143), ("deaf", 1)])
def test_a_block_that_takes_too_long_is_stopped(how, code):
    ended = subprocess.run(
        [sys.executable, "-c", HANGING, how], capture_output=True, text=True, check=False
    )
    assert ended.returncode == code
    assert "It took too long." in ended.stderr


QUICK = """
import threading
from pipelines.monitoring.time_limit import time_limit
with time_limit(0.2, "no"):
    pass
threading.Event().wait(0.6)
"""


def test_a_block_that_is_over_is_left_alone():
    subprocess.run([sys.executable, "-c", QUICK], check=True)
