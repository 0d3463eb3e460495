"""One folder a run under `logs/`: what every library said, and dbt's compiled SQL."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.config.settings import load_settings
from pipelines.file_modes import UMASK
from pipelines.wording import redacted

# A run leaves about 6 MB, most of it dbt's compiled SQL.
RUNS_KEPT = 14
FAULT = "error-"
RUN_LOG = "run"


@contextmanager
def run_log(folder: Path) -> Iterator[Path]:
    """Write all log records from INFO on to `run.log` in `folder` while a run lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{RUN_LOG}.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setLevel(logging.INFO)
    handler.setFormatter(_Redacting("%(asctime)s %(levelname)s %(name)s %(message)s"))
    # It tells of each of two hundred functions that it does not register.
    logging.getLogger("great_expectations").setLevel(logging.WARNING)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(min(level, logging.INFO))
    try:
        yield path
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        handler.close()


class _Redacting(logging.Formatter):
    """Tracebacks of libraries too: they quote what a server wrote."""

    def format(self, record: logging.LogRecord) -> str:
        """As the parent's."""
        return redacted(super().format(record))


def write_fault(story: str) -> Path:
    """The file that a fault's traceback was written to, for this user alone.

    In the home, where there is one that can be written; else in the machine's temporary folder.
    """
    try:
        logs = load_settings().logs_dir
        if logs.parent.is_dir():
            logs.mkdir(UMASK ^ 0o777, exist_ok=True)
        handle, name = tempfile.mkstemp(".log", FAULT, logs)
    except Exception:  # The settings may be what the fault is about.
        handle, name = tempfile.mkstemp(".log", f"sluice-{FAULT}")
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(redacted(story))
    return Path(name)


def prune_logs(logs_dir: Path) -> None:
    """Delete the folders of all but the newest `RUNS_KEPT` runs, and as many files of faults."""
    if not logs_dir.is_dir():
        return
    newest_last = sorted(logs_dir.iterdir(), key=lambda path: path.stat().st_mtime)
    for path in [path for path in newest_last if path.is_dir()][:-RUNS_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
    for path in [path for path in newest_last if path.name.startswith(FAULT)][:-RUNS_KEPT]:
        path.unlink(missing_ok=True)
