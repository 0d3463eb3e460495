"""dbt's documentation of models, columns, tests and lineage as one file, without a server."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from dbt.cli.main import dbtRunner

from pipelines.config.folders import DBT_PROJECT_DIR, PROJECT_DIR
from pipelines.errors import ConfigError

SITE = PROJECT_DIR / "build" / "docs" / "index.html"


def build_site() -> Path:
    """Write the site to `SITE`; returns it.

    Nothing is read from a database: names, types and descriptions are those of the contracts, so
    it works on a fresh clone and beside a run. Raises ConfigError when dbt cannot make it.
    """
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["DBT_SLUICE_DATABASE"] = str(Path(scratch) / "empty.duckdb")
        result = dbtRunner().invoke(
            [
                "--quiet", "docs", "generate", "--static", "--empty-catalog",
                "--project-dir", str(DBT_PROJECT_DIR), "--profiles-dir", str(DBT_PROJECT_DIR),
                "--target-path", scratch, "--log-path", scratch,
            ]
        )  # fmt: skip
        if not result.success:
            raise ConfigError(f"dbt cannot make its documentation: {result.exception}")
        SITE.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(scratch) / "static_index.html", SITE)
    return SITE
