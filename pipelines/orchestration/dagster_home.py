"""Dagster's own home in `SLUICE_HOME`; run with `python -m` this module prints the folder."""

from __future__ import annotations

import json
from pathlib import Path

from dagster import DagsterInstance

from pipelines.config.settings import Settings, load_settings

# One run at a time (one writer). Captured output would cost a tail process a step; events are
# stored anyhow, and dbt's and the run's own logs lie under logs/.
DAGSTER_YAML = """\
telemetry:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1
event_log_storage:
  module: pipelines.orchestration.event_log
  class: EventLog
  config:
    base_dir: {base_dir}
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""


RUNS_KEPT = 60


def prepare_dagster_home(settings: Settings) -> Path:
    """Write `dagster.yaml` (a home may have moved); returns the folder."""
    settings.dagster_dir.mkdir(parents=True, exist_ok=True)
    base_dir = json.dumps(str(settings.dagster_dir / "events"))
    text = DAGSTER_YAML.format(base_dir=base_dir)
    config = settings.dagster_dir / "dagster.yaml"
    if not config.exists() or config.read_text(encoding="utf-8") != text:
        config.write_text(text, encoding="utf-8")
    return settings.dagster_dir


def open_instance(settings: Settings) -> DagsterInstance:
    """The instance that the command line, the UI and the daemon share."""
    return DagsterInstance.from_config(str(prepare_dagster_home(settings)))


def prune_runs(instance: DagsterInstance, keep: int = RUNS_KEPT) -> None:
    """Forget all but the newest `keep` runs: a run's events take 2 to 5 MB."""
    for record in instance.get_run_records()[keep:]:
        instance.delete_run(record.dagster_run.run_id)


if __name__ == "__main__":
    print(prepare_dagster_home(load_settings()))
