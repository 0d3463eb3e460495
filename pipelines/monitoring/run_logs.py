"""One folder a run under `logs/`: what every library said, and dbt's compiled SQL."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A run leaves about 6 MB, most of it dbt's compiled SQL.
RUNS_KEPT = 14


@contextmanager
def run_log(folder: Path) -> Iterator[Path]:
    """Write all log records from INFO on to `run.log` in `folder` while a run lasts."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "run.log"
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setLevel(logging.INFO)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
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


def prune_logs(logs_dir: Path) -> None:
    """Delete the folders of all but the newest `RUNS_KEPT` runs."""
    if not logs_dir.is_dir():
        return
    folders = sorted(
        (path for path in logs_dir.iterdir() if path.is_dir()),
        key=lambda path: path.stat().st_mtime,
    )
    for path in folders[:-RUNS_KEPT]:
        shutil.rmtree(path, ignore_errors=True)
