"""What assets are handed: the GA4 client, dbt, and the lock that keeps one writer a home."""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr

from pipelines.dbt_runner import SluiceDbt
from pipelines.ga4.client import Ga4Client, connect
from pipelines.settings import DBT_PROJECT_DIR, Ga4, Settings

logger = logging.getLogger("sluice")


class Ga4Resource(ConfigurableResource[Ga4Client]):
    """Opens the configured Data API client when a run asks for it, not at import."""

    credentials: str | None = None
    endpoint: str | None = None

    def client(self) -> Ga4Client:
        """A new client; raises CredentialsError."""
        path = Path(self.credentials) if self.credentials else None
        return connect(Ga4(credentials=path, endpoint=self.endpoint))


class RunLock(ConfigurableResource[Any]):
    """Held for the whole run. A second run on the same home waits, and says so.

    The lock belongs to the process (flock): a killed run leaves nothing behind.
    """

    path: str
    _stack: ExitStack = PrivateAttr(default_factory=ExitStack)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Wait for the lock."""
        self._stack.enter_context(hold_lock(Path(self.path)))

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Let the next one in."""
        self._stack.close()


@contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold a home's lock; waits, and says so, while another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            handle.seek(0)
            logger.warning(
                "Another run (process %s) works in %s: waiting until it has ended.",
                handle.read().strip() or "unknown",
                path.parent,
            )
            fcntl.flock(handle, fcntl.LOCK_EX)
        handle.seek(0)
        handle.truncate()
        handle.write(f"{os.getpid()}\n")
        handle.flush()
        yield


def is_running(lock_path: Path) -> bool:
    """Whether a run holds the lock right now."""
    if not lock_path.exists():
        return False
    with lock_path.open("a+", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def lock_path(settings: Settings) -> Path:
    """The lock file of a home."""
    return settings.home / "run.lock"


def build_dbt(settings: Settings, *, in_process: bool = True) -> SluiceDbt:
    """dbt on the settings' build database."""
    return SluiceDbt(
        project_dir=str(DBT_PROJECT_DIR),
        profiles_dir=str(DBT_PROJECT_DIR),
        # Beside our own Python: cron's PATH does not hold the virtual environment.
        dbt_executable=str(Path(sys.executable).parent / "dbt"),
        database=str(settings.build_db),
        artifacts_dir=str(settings.logs_dir),
        in_process=in_process,
    )


def default_resources(settings: Settings) -> dict[str, Any]:
    """The resources of a real run; tests may replace any of them."""
    credentials = settings.ga4.credentials
    return {
        "ga4": Ga4Resource(
            credentials=str(credentials) if credentials else None, endpoint=settings.ga4.endpoint
        ),
        "dbt": build_dbt(settings),
        "run_lock": RunLock(path=str(lock_path(settings))),
    }
