"""The demo as a newcomer runs it, 90 days of 1,000 sessions: simulator, emulator and night."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.perf.compare import Measurement


def demo() -> list[Measurement]:
    """CPU and wall seconds of `sluice demo` in a home of its own."""
    command = Path(sys.executable).with_name("sluice")
    with tempfile.TemporaryDirectory() as home:
        before, start = os.times(), time.perf_counter()
        subprocess.run([command, "demo", "--home", home], check=True, capture_output=True)
        wall, after = time.perf_counter() - start, os.times()
    cpu = sum(after[2:4]) - sum(before[2:4])
    return [
        Measurement("demo, CPU", cpu, "s", "half of the 84 s at 5204f81"),
        Measurement("demo, wall", wall, "s", "none"),
    ]
