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


HOLDING = """
import logging, signal, sys, threading
from pathlib import Path
from pipelines.monitoring.home_lock import hold_lock
logging.basicConfig()
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with hold_lock(Path(sys.argv[1]), 0.00001), hold_lock(Path(sys.argv[1])):
    threading.Event().wait(60)
"""


def test_a_lock_is_not_held_for_ever(tmp_path):
    """Plan, run and record alike: a run's own resources are gone when its record is read."""
    ended = subprocess.run(
        [sys.executable, "-c", HOLDING, str(tmp_path / "run.lock")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 143
    assert "takes longer than 1e-05 hours (nightly.max_hours; a backfill: a week)" in ended.stderr
