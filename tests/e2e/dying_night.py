"""A real night that dies as by `kill -9`, right before it stores its tenth report.

`python -m tests.e2e.dying_night SETTINGS START END`, settings as JSON.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from typing import Any

from pipelines.config.folders import PROJECT_DIR
from pipelines.config.settings import Settings
from pipelines.ingest import ingest_run
from pipelines.ingest.day_window import DayWindow
from pipelines.orchestration.nightly_run import run_nightly
from tests.e2e.shop import own_environment

STORED, KILLED = 9, 137


def kill_night(settings: Settings, window: DayWindow) -> None:
    """Run it in a process of its own, which has no time to end anything."""
    command = [sys.executable, "-m", "tests.e2e.dying_night", settings.model_dump_json()]
    ended = subprocess.run(
        [*command, str(window.start), str(window.end)],
        cwd=PROJECT_DIR, env=own_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == KILLED, ended.stderr


def _die_after(reports: int) -> None:
    store, left = ingest_run.replace_partitions, [reports]

    def store_or_die(*args: Any, **options: Any) -> int:
        if not left[0]:
            os._exit(KILLED)
        left[0] -= 1
        return store(*args, **options)

    ingest_run.replace_partitions = store_or_die


if __name__ == "__main__":
    _die_after(STORED)
    run_nightly(
        Settings.model_validate_json(sys.argv[1]),
        DayWindow(date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3])),
        command="test",
    )
