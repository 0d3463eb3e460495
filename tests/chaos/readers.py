"""Readers open what is published again and again, while versions come, go and are rolled back."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pipelines.clock import Clock
from pipelines.config.settings import Settings
from pipelines.publishing.publication import Publication
from pipelines.publishing.publish import publish
from pipelines.publishing.versions import rollback
from tests.chaos.home import Home
from tests.e2e.shop import LAST_DAY

READERS, PUBLISHES, ROLLBACKS = 8, 20, 3
# Resolves the link once, as docs/operations.md says, and compares all that it finds there.
READER = """
import json, sys, time
from pathlib import Path
import duckdb
published, stop = Path(sys.argv[1]), Path(sys.argv[2])
loops, wrong = 0, []
while not stop.exists():
    version = (published / "current").resolve()
    try:
        manifest = json.loads((version / "manifest.json").read_text())
        with duckdb.connect(str(version / "sluice.duckdb"), read_only=True) as connection:
            ask = lambda query: connection.execute(query).fetchone()[0]
            rows = {
                ask("select count(*) from marts.fct_funnel_window"),
                ask(f"select count(*) from '{version}/parquet/fct_funnel_window.parquet'"),
                manifest["rows"]["marts.fct_funnel_window"],
            }
        if manifest["version"] != version.name or len(rows) > 1:
            wrong.append("mixed")
    except Exception as error:
        wrong.append(f"{type(error).__name__}: {error}")
    loops += 1
print(json.dumps([loops, wrong]))
"""


def read_while_publishing(stored: Settings, folder: Path) -> tuple[int, list[str]]:
    """Loops of all readers, and everything that was wrong."""

    home, stop = Home.copy(stored, folder), folder / "stop"
    published = home.settings.published_dir
    command = [sys.executable, "-c", READER, str(published), str(stop)]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
    for number in range(PUBLISHES):
        publish(
            Publication(
                build_db=home.settings.build_db, published_dir=published, run_id="chaos",
                code_version="0.1.0", window_start=str(LAST_DAY), window_end=str(LAST_DAY),
                keep_versions=3, with_parquet=True, kept_back=(), page=None, now=Clock().now(),
            )
        )  # fmt: skip
        if number % (PUBLISHES // ROLLBACKS) == 2:
            rollback(published)
    stop.touch()
    answers = [json.loads(reader.communicate()[0]) for reader in readers]
    return sum(loops for loops, _ in answers), [one for _, wrong in answers for one in wrong]
