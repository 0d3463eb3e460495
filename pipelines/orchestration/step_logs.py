"""Dagster's step logs: the log of the run, which lies with all else of it under `logs/`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from dagster._core.storage.compute_log_manager import CapturedLogContext
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._serdes import ConfigurableClassData

from pipelines.monitoring.run_logs import RUN_LOG, run_log


class StepLogs(LocalComputeLogManager):
    """Named in `dagster.yaml`. A log key begins with the run's id.

    Dagster's own takes standard output away from the terminal, and starts four processes to give it
    back: a command would lose its progress bar.
    """

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> StepLogs:
        """As the library's."""
        return cls(inst_data=inst_data, **config_value)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Log the steps of a run."""
        with run_log(Path(self._base_dir) / log_key[0]):
            yield CapturedLogContext(log_key)
        Path(self.get_captured_local_path(log_key, "complete")).touch()

    def get_captured_local_path(
        self, log_key: Sequence[str], extension: str, partial: bool = False
    ) -> str:
        """The run's log for standard error; of standard output there is nothing."""
        log = Path(super().get_captured_local_path([log_key[0], RUN_LOG], "log"))
        return str(log if extension == "err" else log.with_suffix(f".{extension}"))
