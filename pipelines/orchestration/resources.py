"""What assets are handed: the GA4 client, dbt, and the lock that keeps one writer a home."""

from __future__ import annotations

import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from dagster import ConfigurableResource, InitResourceContext
from pydantic import PrivateAttr

from pipelines.config.folders import DBT_PROJECT_DIR
from pipelines.config.settings import Ga4, Settings
from pipelines.errors import WarehouseError
from pipelines.ga4.client import Ga4Client, connect
from pipelines.ga4.rate_limit import Governor, Policy
from pipelines.monitoring.home_lock import hold_lock, lock_path
from pipelines.orchestration.dbt_cli import SluiceDbt
from pipelines.warehouse.connect import kept_open


class Ga4Resource(ConfigurableResource[Ga4Client]):
    """Opens the configured Data API client when a run asks for it, not at import."""

    credentials: str | None = None
    endpoint: str | None = None

    def client(self, policy: Policy) -> Ga4Client:
        """A new client that is as patient as `policy`; raises CredentialsError."""
        path = Path(self.credentials) if self.credentials else None
        return connect(Ga4(credentials=path, endpoint=self.endpoint), self.governor(policy))

    def governor(self, policy: Policy) -> Governor:
        """Who decides about waits and retries; tests give it another clock."""
        return Governor(policy)


class RunLock(ConfigurableResource[Any]):
    """Held for the whole run, with the build database open. A second run on the same home waits.

    It says so. The lock belongs to the process (flock): a killed run leaves nothing behind.
    """

    path: str
    database: str
    max_hours: float
    _stack: ExitStack = PrivateAttr(default_factory=ExitStack)

    def setup_for_execution(self, context: InitResourceContext) -> None:
        """Wait for the lock."""
        self._stack.enter_context(hold_lock(Path(self.path), self.max_hours))
        # Why it cannot be opened the first step says: a step's failure is what a run tells.
        with suppress(WarehouseError):
            self._stack.enter_context(kept_open(Path(self.database)))

    def teardown_after_execution(self, context: InitResourceContext) -> None:
        """Let the next one in."""
        self._stack.close()


def build_dbt(settings: Settings) -> SluiceDbt:
    """dbt on the settings' build database."""
    return SluiceDbt(
        project_dir=str(DBT_PROJECT_DIR),
        profiles_dir=str(DBT_PROJECT_DIR),
        # Beside our own Python: cron's PATH does not hold the virtual environment.
        dbt_executable=str(Path(sys.executable).parent / "dbt"),
        database=str(settings.build_db),
        artifacts_dir=str(settings.logs_dir),
        cache_dir=str(settings.cache_dir),
    )


def default_resources(settings: Settings) -> dict[str, Any]:
    """The resources of a real run; tests may replace any of them."""
    credentials = settings.ga4.credentials
    return {
        "ga4": Ga4Resource(
            credentials=str(credentials) if credentials else None, endpoint=settings.ga4.endpoint
        ),
        "dbt": build_dbt(settings),
        "run_lock": RunLock(
            path=str(lock_path(settings)),
            database=str(settings.build_db),
            max_hours=settings.nightly.max_hours,
        ),
    }
