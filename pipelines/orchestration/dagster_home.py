"""Dagster's own home in `SLUICE_HOME`; run with `python -m` this module prints the folder."""

from __future__ import annotations

import json
import logging
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from dagster import DagsterInstance

from pipelines.config.settings import Settings, load_settings

# One run at a time (one writer). The step logs are the run's own, and the first look at the UI is
# the graph and no invitation.
DAGSTER_YAML = """\
telemetry:
  enabled: false
nux:
  enabled: false
freshness:
  enabled: true
concurrency:
  runs:
    max_concurrent_runs: 1
event_log_storage:
  module: pipelines.orchestration.event_log
  class: EventLog
  config:
    base_dir: {base_dir}
compute_logs:
  module: pipelines.orchestration.step_logs
  class: StepLogs
  config:
    base_dir: {logs_dir}
"""


RUNS_KEPT = 60
logger = logging.getLogger("sluice")


def prepare_dagster_home(settings: Settings) -> Path:
    """Write `dagster.yaml` (a home may have moved); returns the folder."""
    settings.dagster_dir.mkdir(parents=True, exist_ok=True)
    base_dir = json.dumps(str(settings.dagster_dir / "events"))
    logs_dir = json.dumps(str(settings.logs_dir))
    text = DAGSTER_YAML.format(base_dir=base_dir, logs_dir=logs_dir)
    config = settings.dagster_dir / "dagster.yaml"
    if not config.exists() or config.read_text(encoding="utf-8") != text:
        config.write_text(text, encoding="utf-8")
    return settings.dagster_dir


def open_instance(settings: Settings) -> DagsterInstance:
    """The instance that the command line, the UI and the daemon share.

    It is no more than a memory of runs: a damaged one is put aside and begun anew.
    """
    if damaged := next(filter(_is_damaged, settings.dagster_dir.rglob("*.db")), None):
        aside = settings.dagster_dir.with_name("dagster.damaged")
        shutil.rmtree(aside, ignore_errors=True)
        settings.dagster_dir.rename(aside)
        logger.warning(
            "Dagster's memory of runs could not be read (%s): it lies in %s, and a new one begins.",
            damaged.name, aside,
        )  # fmt: skip
    return DagsterInstance.from_config(str(prepare_dagster_home(settings)))


def _is_damaged(path: Path) -> bool:
    """Whether SQLite does not know a file for its own. (To look at every page takes too long.)"""
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("select count(*) from sqlite_master")
    except sqlite3.OperationalError:
        # Busy, or not for us: whoever opens it next says so.
        return False
    except sqlite3.DatabaseError:
        return True
    return False


def prune_runs(instance: DagsterInstance, keep: int = RUNS_KEPT) -> None:
    """Forget all but the newest `keep` runs: a run's events take 2 to 5 MB."""
    for record in instance.get_run_records()[keep:]:
        instance.delete_run(record.dagster_run.run_id)


if __name__ == "__main__":
    print(prepare_dagster_home(load_settings()))
