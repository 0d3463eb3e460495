"""What Dagster loads is made when it asks, and not by an import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.config.folders import PROJECT_DIR

pytestmark = pytest.mark.slow


def test_an_import_reads_no_settings_and_leaves_no_file(tmp_path: Path) -> None:
    world = {**os.environ, "SLUICE_HOME": str(tmp_path / "home"), "SLUICE_PROPERTIES": "no list"}
    subprocess.run(
        [sys.executable, "-c", "import pipelines.definitions"], cwd=PROJECT_DIR, env=world,
        check=True,
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == []
