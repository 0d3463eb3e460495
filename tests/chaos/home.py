"""A home under attack: its commands, and what must never be wrong in it.

What is attacked, or is short of something, is a process of its own; other commands run in this one.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.config.settings import Ga4, Settings
from pipelines.monitoring.home_lock import is_running, lock_path
from pipelines.publishing.versions import MANIFEST, file_facts, find_versions
from tests.e2e.shop import LAST_DAY, PROPERTY, ZONE, Shop, ga4_marts
from tests.soak.command import Ended, typed

# A shell's background ignores Ctrl-C; cron and a terminal do not.
_MAIN = """
import resource, signal
signal.signal(signal.SIGINT, signal.default_int_handler)
{limit}
from pipelines.cli import main
main()
"""
NIGHTLY = ("nightly", "--date", str(LAST_DAY))
Marts = dict[str, list[tuple[Any, ...]]]
TRACES = ("Traceback", "this is a fault in Sluice", "terminate called")


@dataclass(frozen=True)
class Home:
    """A home and the server that it asks."""

    settings: Settings

    @classmethod
    def copy(cls, settings: Settings, folder: Path, endpoint: str | None = None) -> Home:
        """A copy of a stored home in `folder`, which asks this server or the same."""
        shutil.copytree(settings.home, folder / "home", symlinks=True)
        ga4 = Ga4(endpoint=endpoint or settings.ga4.endpoint)
        return cls(settings.model_copy(update={"home": folder / "home", "ga4": ga4}))

    def start(self, *arguments: str, limit: str = "") -> subprocess.Popen[str]:
        """A command as cron starts it; `limit` is Python that its process runs first."""
        world = {
            # Without the database of a night in this process, for which dbt would parse anew.
            **{key: value for key, value in os.environ.items() if "SLUICE_" not in key},
            **self._world,
        }
        return subprocess.Popen(
            [sys.executable, "-c", _MAIN.format(limit=limit), *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=world,
        )  # fmt: skip

    def apart(self, *arguments: str, limit: str = "") -> Ended:
        """The same, to its end; `code` is negative after a signal that it did not hear."""
        with self.start(*arguments, limit=limit) as process:
            out, err = process.communicate()
        return Ended(process.returncode, out, err)

    def run(self, *arguments: str) -> Ended:
        """A command in this process, without its 5 CPU-seconds of imports."""
        return typed(*arguments, folder=None, **self._world)

    def night(self) -> Ended:
        """A night over the newest days, in this process."""
        return self.run(*NIGHTLY)

    @property
    def _world(self) -> dict[str, str]:
        """The variables that say which home this is, and whom it asks."""
        shop = [{"id": PROPERTY, "name": "Test shop", "time_zone": ZONE}]
        return {
            "SLUICE_HOME": str(self.settings.home),
            "SLUICE_GA4_ENDPOINT": str(self.settings.ga4.endpoint),
            "SLUICE_PROPERTIES": json.dumps(shop),
            "SLUICE_STORE": json.dumps({"name": self.settings.store.name}),
        }

    def marts(self) -> Marts:
        """What readers see; no mart holds a stamp of a run."""
        return ga4_marts(self.settings)

    def wrong(self) -> list[str]:
        """What is torn, or held by a process that is gone; nothing after any kill."""
        damaged = find_versions(self._published).damaged
        found = [f"version {name}: {why}" for name, why in damaged.items()]
        current = (self._published / "current").resolve()
        if not current.is_dir():
            found.append("current leads nowhere")
        elif current.name not in damaged:
            files = json.loads((current / MANIFEST).read_text(encoding="utf-8"))["files"]
            found += [
                f"current: {name} is not as published"
                for name, facts in files.items()
                if file_facts(current / name) != facts
            ]
        if is_running(lock_path(self.settings)):
            found.append("the lock is held")
        return found

    def litter(self) -> list[str]:
        """What a killed run left and a clean night has to have removed."""
        left = ("versions/.unfinished-*", ".current.*")
        return [path.name for pattern in left for path in self._published.glob(pattern)]

    def difference(self, expected: Marts) -> list[str]:
        """Names of marts that hold other rows."""
        marts = self.marts()
        names = marts.keys() | expected.keys()
        return sorted(name for name in names if marts.get(name) != expected.get(name))

    @property
    def _published(self) -> Path:
        return self.settings.published_dir


def stored_home(shop: Shop, folder: Path) -> Settings:
    """A home with one published night over all but the last day of the shop."""
    home = Home(shop.settings(folder / "stored"))
    first = home.run("backfill", "--start", str(shop.earlier.start), "--end", str(shop.earlier.end))
    assert first.code == 0, first.err
    return home.settings
